//! Compiles our own messages with protox, so that no `protoc` is needed, and keeps their descriptors for reflection.

use std::path::PathBuf;

use prost::Message as _;

/// Messages whose lists are sorted before they are written, and what prost does not derive for that.
const SORTED: [(&str, &str); 5] = [
    (
        ".spangraph.v1.WaitingSpan",
        "#[derive(Eq, PartialOrd, Ord)]",
    ),
    (".spangraph.v1.ChargedEdge", "#[derive(PartialOrd, Ord)]"),
    (".spangraph.v1.RememberedSpan", "#[derive(PartialOrd, Ord)]"),
    (".spangraph.v1.WaitingLink", "#[derive(PartialOrd, Ord)]"),
    (".spangraph.v1.WaitingGroup", "#[derive(PartialOrd, Ord)]"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "proto/spangraph/v1/slice.proto",
        "proto/spangraph/v1/topology.proto",
        "proto/spangraph/v1/checkpoint.proto",
    ];
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::configure().bytes(".spangraph.v1.GetTopologyResponse.body");
    for (message, derive) in SORTED {
        config = config.type_attribute(message, derive);
    }
    config.compile_fds(descriptors)?;
    Ok(())
}
