//! Values that are one of a few words.

use super::value::Value;

/// A closed set of words.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $variant:ident = $word:literal,)+ } $kind:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[doc = $word_doc])+ $variant,)+ }

        impl Value for $name {
            const KIND: &'static str = $kind;
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("expected {}", Self::KIND)),
                }
            }
            fn show(&self) -> String {
                match self { $(Self::$variant => $word,)+ }.to_owned()
            }
        }
    };
}

words! {
    /// Whether an inbound span may share its id with its caller's.
    SharedIds {
        /// Decided per span.
        Auto = "auto",
        /// Never.
        Never = "never",
        /// Perhaps always.
        Always = "always",
    } "`auto`, `never` or `always`"
}

words! {
    /// What names a database, after its logical name.
    DbNodeName {
        /// Its host.
        Host = "host",
        /// Its namespace.
        Namespace = "namespace",
    } "`host` or `namespace`"
}

words! {
    /// Who stands for the callers of root spans.
    UserNode {
        /// One node.
        Shared = "shared",
        /// One for each service.
        PerService = "per_service",
        /// Nobody.
        Off = "off",
    } "`shared`, `per_service` or `off`"
}

words! {
    /// Least severe log level written.
    LogLevel {
        /// Errors only.
        Error = "error",
        /// And warnings.
        Warn = "warn",
        /// And what an operator wants to see once.
        Info = "info",
        /// And what a developer wants to see.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    } "`error`, `warn`, `info`, `debug` or `trace`"
}

words! {
    /// How a log line looks.
    LogFormat {
        /// For people.
        Text = "text",
        /// One object a line.
        Json = "json",
    } "`text` or `json`"
}
