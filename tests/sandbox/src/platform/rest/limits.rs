//! The rate limits of the REST API, pool by pool.

use std::collections::{HashMap, VecDeque};

use crate::api::Pool;
use crate::settings::Settings;

/// The requests that each window of each pool holds.
#[derive(Debug, Default)]
pub(crate) struct Limits(HashMap<(String, u64), VecDeque<u64>>);

impl Limits {
    /// Counts a request of `pool` that arrived at `now`, unless that makes too many in one of its
    /// windows. These slide: no second, wherever it begins, holds more than the limit.
    ///
    /// # Errors
    ///
    /// The seconds after which another attempt would be counted.
    pub(super) fn admit(&mut self, pool: &Pool, settings: &Settings, now: u64) -> Result<(), u64> {
        if !settings.rest_limits {
            return Ok(());
        }
        let other = settings.pool_limits.get(&pool.name);
        // An override is for the window that the pool names first.
        let limits: Vec<(u32, u64)> = match other {
            Some(limit) => {
                pool.limits.first().map(|(_, window)| (*limit, *window)).into_iter().collect()
            }
            None => pool.limits.clone(),
        };
        let mut wait = 0;
        for (limit, window) in &limits {
            let arrivals = self.0.entry((pool.name.clone(), *window)).or_default();
            while arrivals.front().is_some_and(|first| first + window <= now) {
                arrivals.pop_front();
            }
            let limit = usize::try_from(*limit).unwrap_or(usize::MAX);
            if let Some(place) = arrivals.len().checked_sub(limit) {
                let free_at = arrivals.get(place).map_or(now, |first| first + window);
                wait = wait.max(free_at.saturating_sub(now).div_ceil(1000).max(1));
            }
        }
        if wait > 0 {
            return Err(wait);
        }
        for (_, window) in limits {
            self.0.entry((pool.name.clone(), window)).or_default().push_back(now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_of_a_pool_counts() {
        let pool = Pool { name: "one".to_owned(), limits: vec![(3, 3_600_000), (2, 1000)] };
        let settings = Settings::default();
        let mut limits = Limits::default();
        assert_eq!(limits.admit(&pool, &settings, 0), Ok(()));
        assert_eq!(limits.admit(&pool, &settings, 600), Ok(()));
        assert_eq!(limits.admit(&pool, &settings, 999), Err(1));
        assert_eq!(limits.admit(&pool, &settings, 1000), Ok(()));
        assert_eq!(limits.admit(&pool, &settings, 5000), Err(3595));
        assert_eq!(limits.admit(&pool, &settings, 3_600_000), Ok(()));
    }
}
