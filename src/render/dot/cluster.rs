//! Namespaces as clusters around their services.

use std::fmt::{self, Write};

use super::escape::{escaped, quoted_id};
use crate::render::look::{Frames, Palette};
use crate::topology::ident::encode_component;

/// Writes each node by `each`, those of one namespace in one cluster.
pub(super) fn write<T, W: Write>(
    frames: Frames<'_, T>,
    palette: &Palette,
    out: &mut W,
    each: impl Fn(&T, &mut W) -> fmt::Result,
) -> fmt::Result {
    for (namespace, nodes) in frames {
        if let Some(namespace) = namespace {
            let id = format!("cluster_{}", encode_component(namespace));
            writeln!(out, "  subgraph {} {{", quoted_id(&id))?;
            writeln!(
                out,
                "    label=\"{}\"; style=\"rounded\"; color=\"{}\"; tooltip=\"namespace\";",
                escaped(namespace),
                palette.faint
            )?;
        }
        for node in nodes {
            let indent = if namespace.is_some() { "    " } else { "  " };
            out.write_str(indent)?;
            each(&node, out)?;
        }
        if namespace.is_some() {
            writeln!(out, "  }}")?;
        }
    }
    Ok(())
}
