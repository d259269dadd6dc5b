//! The macro behind [`super::keys`]: one row there is the field, the parser, the bounds, the example file, the
//! reference in `docs/OPERATING.md` and a line of `print-config`, so that these cannot disagree.

/// What the table says about one key.
#[derive(Debug)]
pub struct Key {
    /// Dotted path as written in the file and after `--set`.
    pub path: &'static str,
    /// What its value looks like.
    pub kind: &'static str,
    /// The value when nobody says anything, as it would be written.
    pub default: &'static str,
    /// What `auto` means, for a key whose default depends on the machine or on other keys.
    pub auto: Option<&'static str>,
    /// Least and greatest value.
    pub range: Option<(&'static str, &'static str)>,
    /// Lines of explanation: unit, and what happens at the bound.
    pub doc: &'static [&'static str],
}

/// What the table says about one section.
#[derive(Debug)]
pub struct Section {
    /// Dotted path.
    pub path: &'static str,
    /// Lines of explanation.
    pub doc: &'static [&'static str],
    /// Its keys, in the order of the table.
    pub keys: &'static [Key],
}

/// Turns the table into `Config`, one struct per section, and `SECTIONS`.
macro_rules! config {
    ($(
        $(#[doc = $section_doc:literal])*
        $section_path:literal $section:ident: $Section:ident {
            $(
                $(#[doc = $doc:literal])*
                $key:ident: $type:ty = $default:literal
                    $(in $low:literal ..= $high:literal)?
                    $(auto $auto_doc:literal $auto:expr)?;
            )+
        }
    )+) => {
        /// What will run: every value present, parsed and within its bounds.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Config {
            $( $(#[doc = $section_doc])* pub $section: $Section, )+
        }

        $(
            $(#[doc = $section_doc])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $Section {
                $( $(#[doc = $doc])* pub $key: $type, )+
            }
        )+

        /// Every section and key, in the order of the table.
        pub const SECTIONS: &[Section] = &[$(
            Section {
                path: $section_path,
                doc: &[$($section_doc),*],
                keys: &[$(
                    Key {
                        path: concat!($section_path, ".", stringify!($key)),
                        kind: <$type as Value>::KIND,
                        default: $default,
                        auto: config!(@first $($auto_doc)?),
                        range: config!(@first $(($low, $high))?),
                        doc: &[$($doc),*],
                    }
                ),+],
            }
        ),+];

        impl Config {
            /// Takes each key from the layers, in the order of the table: a derived default may use what stands above it.
            pub(super) fn take(layers: &mut Layers, machine: &Machine) -> Result<Self, ConfigError> {
                $(
                    let $section = {
                        $(
                            let $key: $type = config!(@take layers, machine,
                                concat!($section_path, ".", stringify!($key)), $type $(, $auto)?);
                        )+
                        $Section { $($key),+ }
                    };
                )+
                Ok(Self { $($section),+ })
            }
        }
    };
    (@first) => { None };
    (@first $value:expr) => { Some($value) };
    (@take $layers:ident, $machine:ident, $path:expr, $type:ty) => {
        $layers.value::<$type>($path)?
    };
    (@take $layers:ident, $machine:ident, $path:expr, $type:ty, $auto:expr) => {
        match $layers.value_unless_auto::<$type>($path)? {
            Some(value) => value,
            None => $layers.derived($path, ($auto)($machine)),
        }
    };
}

pub(super) use config;
