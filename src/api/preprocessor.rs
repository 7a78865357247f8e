//! Files with values for the preprocessor of messages.

use super::{
    answer::Undocumented,
    contact::FileAccepted,
    macros::{choice, endpoint, shape},
};

choice! {
    /// How a value is taken out of a file.
    PreprocessorKind {
        /// Any line.
        Random = "Random",
        /// The line of a key.
        Key = "Key",
    }
}

shape! {
    /// A file for the preprocessor.
    PreprocessorFile {
        /// Its address.
        req link: String = "link",
        /// How a value is taken out of it.
        req kind: PreprocessorKind = "preprocessorType",
        /// For how many hours it is kept; a month if unset.
        opt ttl_hours: i32 = "ttlHours",
    }
}

shape! {
    /// New content of a file.
    PreprocessorUpdate {
        /// Its address.
        req link: String = "link",
        /// For how many hours it is kept; a month if unset.
        opt ttl_hours: i32 = "ttlHours",
    }
}

shape! {
    /// What became of new content.
    PreprocessorUpdated {
        /// What is wrong with it.
        opt message: String = "message",
        /// The upload's id.
        opt async_session_id: String = "asyncSessionId",
        /// Whether it passed the first check.
        opt valid: bool = "valid",
    }
}

endpoint! {
    /// Registers a file by its address.
    AddPreprocessorFile = "uploadPreprocessorFile", Preprocessor, Post "/v1/preprocessor/file/upload", Shared, Same => FileAccepted {
        /// The file.
        body file: PreprocessorFile,
    }
}

endpoint! {
    /// Replaces the content of a registered file.
    UpdatePreprocessorFile = "updatePreprocessorFile", Preprocessor, Post "/v1/preprocessor/file/{id}", Shared, Same => PreprocessorUpdated {
        /// The file's id.
        path id: String = "id",
        /// Its content.
        body file: PreprocessorUpdate,
    }
}

endpoint! {
    /// Reads how far an upload is.
    PreprocessorStatus = "preprocessorFileStatus", Preprocessor, Get "/v1/preprocessor/file/{id}/status", Shared, Reads => Undocumented {
        /// The upload's id.
        path id: String = "id",
    }
}
