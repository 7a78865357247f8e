//! Catalogues of additional fields.

use crate::api::macros::{choice, endpoint, shape};

shape! {
    /// The catalogues of the account.
    Catalogues {
        /// The catalogues.
        opt address_books: Vec<Catalogue> = "addressBook",
    }
}

shape! {
    /// A catalogue of additional fields.
    Catalogue {
        /// Its id, which contacts carry as `addressBookId`.
        opt id: i32 = "addressBookId",
        /// Its name.
        opt name: String = "name",
        /// Its groups of fields.
        opt field_groups: Vec<FieldGroup> = "fieldGroups",
    }
}

shape! {
    /// A group of additional fields.
    FieldGroup {
        /// Its name.
        opt name: String = "name",
        /// Its key, the first half of a column's name in a file of contacts.
        opt profile_key: String = "profileKey",
        /// Its fields.
        opt fields: Vec<FieldInfo> = "fields",
    }
}

shape! {
    /// An additional field.
    FieldInfo {
        /// Its id.
        opt id: i32 = "id",
        /// Its name.
        opt name: String = "name",
        /// Its key, the second half of a column's name in a file of contacts.
        opt field_key: String = "fieldKey",
        /// What it holds.
        opt description: FieldDescription = "description",
    }
}

shape! {
    /// What an additional field holds.
    FieldDescription {
        /// Its type.
        opt kind: FieldKind = "type",
        /// The values that it may have.
        opt allowed_values: AllowedValues = "allowedValues",
        /// Whether it must have one.
        opt required: bool = "required",
        /// Whether only the platform writes it.
        opt read_only: bool = "readonly",
    }
}

choice! {
    /// The type of an additional field.
    FieldKind {
        /// A line of text, up to 1000 characters.
        TextField = "TEXTFIELD",
        /// One of several entries.
        ComboBox = "COMBOBOX",
        /// Some of several entries.
        CheckBoxList = "CHECKBOXLIST",
        /// Text of up to 5000 characters.
        TextArea = "TEXTAREA",
        /// A date.
        Date = "DATE",
        /// A whole number.
        Number = "NUMBER",
        /// A date and a time.
        DateTime = "DATETIME",
        /// A number.
        Decimal = "DECIMAL",
        /// Tags.
        Tags = "TAGS",
    }
}

shape! {
    /// The values that an additional field may have.
    AllowedValues {
        /// Its entries.
        opt possible_values: Vec<String> = "possibleValues",
        /// The least number.
        opt min_value: i32 = "minValue",
        /// The greatest number.
        opt max_value: i32 = "maxValue",
    }
}

endpoint! {
    /// Lists the catalogues of additional fields.
    ReadCatalogues = "getAddressBooks", Contacts, Get "/v1/addressbooks", Shared, Reads => Catalogues
}
