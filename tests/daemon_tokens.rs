//! `api.tokens_file` as an operator meets it: the real binary, files that change under it, and files that are of no use.

#[path = "common/scratch.rs"]
mod scratch;

#[path = "common/running.rs"]
mod running;

use running::{Logged, said, spangraph};
use scratch::Scratch;

const OLD: &str = "old-0123456789abcdef";
const NO_USE: &str = "a file that changed is of no use; what it held before still counts";
const NEW: &str = "new-0123456789abcdef";

fn status(daemon: &Logged, token: &str) -> u16 {
    let header = format!("Authorization: Bearer {token}\r\n");
    running::get(&daemon.api, "/api/v1/status", &header).0
}

/// Scenario: a token is rotated: a new one beside the old, a slip of the pen, the new one alone.
/// Guarantees: each file counts once the log says so, one of no use changes nothing, and no token is ever logged.
#[test]
fn tokens_are_rotated_while_the_daemon_runs() {
    let dir = Scratch::new("tokens");
    let file = dir.write("tokens", format!("{OLD}\n"));
    let mut daemon = Logged::start(&[&format!("api.tokens_file={file}")]);
    assert_eq!((status(&daemon, OLD), status(&daemon, NEW)), (200, 401));
    assert_eq!(running::get(&daemon.api, "/livez", "").0, 200);

    dir.write("tokens", format!("{NEW}\n{OLD}\n"));
    daemon.until("took up a file that changed");
    assert_eq!((status(&daemon, OLD), status(&daemon, NEW)), (200, 200));

    dir.write("tokens", format!("{NEW}\nshort\n"));
    let line = daemon.until(NO_USE);
    assert!(
        line["error"]
            .as_str()
            .unwrap()
            .contains("line 2 is no token"),
        "{line}"
    );
    assert_eq!((status(&daemon, OLD), status(&daemon, NEW)), (200, 200));

    dir.remove("tokens");
    daemon.until(NO_USE);
    assert_eq!(status(&daemon, OLD), 200);

    dir.write("tokens", format!("{NEW}\n"));
    daemon.until("took up a file that changed");
    assert_eq!((status(&daemon, OLD), status(&daemon, NEW)), (401, 200));
    assert!(!daemon.seen.contains("0123456789"), "{}", daemon.seen);
}

/// Guarantees: a file that cannot be used keeps the daemon from starting, is found by `check-config` too, and is named
/// with its key and line but without its words. Other commands do not read it.
#[test]
fn a_file_of_no_use_is_a_wrong_configuration() {
    let dir = Scratch::new("bad-tokens");
    let missing = dir.path("missing");
    let short = dir.write("short", "# ours\nsecret-a-bit\n");
    let long = dir.write("long", "#".repeat(65_537));
    let folder = dir.path("");
    for (file, why) in [
        (&missing, "No such file"),
        (&short, "line 2 is no token"),
        (&long, "holds more than 64 KiB"),
        (&folder, "s a directory"),
    ] {
        let set = format!("--set=api.tokens_file={file}");
        for command in ["serve", "check-config"] {
            let output = spangraph(&[command, &set]).output().unwrap();
            assert_eq!(output.status.code(), Some(78), "{command} {file}");
            let said = said(&output);
            assert!(
                said.contains("`api.tokens_file`") && said.contains(why),
                "{said}"
            );
            assert!(!said.contains("secret"), "{said}");
        }
        let printed = spangraph(&["print-config", &set]).output().unwrap();
        assert_eq!(printed.status.code(), Some(0));
    }
}
