//! Compiles our own messages with protox, so that no `protoc` is needed, and keeps their descriptors for reflection.

use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = [
        "proto/spangraph/v1/slice.proto",
        "proto/spangraph/v1/topology.proto",
    ];
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(files, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".spangraph.v1.GetTopologyResponse.body")
        .compile_fds(descriptors)?;
    Ok(())
}
