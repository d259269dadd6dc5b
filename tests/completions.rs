//! The completion scripts, tried in the shells that are there.

use std::process::{Command, Output, Stdio};

fn script(shell: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spangraph"));
    let output = command.args(["completions", shell]).output();
    output.expect("the binary starts")
}

/// Runs `program` with the script on its standard input and `arguments`; `None` when there is no such program.
fn feed(program: &str, arguments: &[&str], input: &[u8]) -> Option<Output> {
    use std::io::Write as _;
    let mut command = Command::new(program);
    let pipes = command.args(arguments).stdin(Stdio::piped());
    let pipes = pipes.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().ok()?;
    child.stdin.take()?.write_all(input).ok()?;
    child.wait_with_output().ok()
}

#[test]
fn every_shell_that_is_there_accepts_its_script() {
    for (shell, flag) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = script(shell);
        assert!(
            script.status.success() && !script.stdout.is_empty(),
            "{shell}"
        );
        if let Some(checked) = feed(shell, &[flag], &script.stdout) {
            let complaint = String::from_utf8_lossy(&checked.stderr).into_owned();
            assert!(
                checked.status.success() && complaint.is_empty(),
                "{shell}: {complaint}"
            );
        }
    }
    assert_eq!(script("cmd").status.code(), Some(2));
}

/// Guarantees: in bash, a command's first letters complete to it, and a flag's values are offered.
#[test]
fn bash_completes_commands_flags_and_values() {
    let mut input = script("bash").stdout;
    input.extend_from_slice(
        b"\ntry() { COMP_WORDS=(spangraph \"$@\"); COMP_CWORD=$#; COMPREPLY=(); \
          _spangraph spangraph \"${!#}\" \"${COMP_WORDS[$#-1]}\"; echo \"${COMPREPLY[*]}\"; }\n\
          try sna; try snapshot --wat; try snapshot --format ''; try completions z\n",
    );
    let Some(output) = feed("bash", &["--norc"], &input) else {
        return;
    };
    let offered = String::from_utf8(output.stdout).unwrap();
    let offered: Vec<&str> = offered.lines().collect();
    assert_eq!(
        offered,
        [
            "snapshot",
            "--watch",
            "json dot svg mermaid plantuml graphml node-link csv grafana",
            "zsh"
        ]
    );
}
