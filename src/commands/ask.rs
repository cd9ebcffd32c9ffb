//! Questions on a terminal. An answer that is a secret is not shown while it is typed.

use std::io::{Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::{Failure, Kind};

fn local(error: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::Local, format!("cannot read from the terminal: {error}"))
}

fn prompt(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// One line; none at the end of the input.
pub(super) fn line(question: &str) -> Result<Option<String>, Failure> {
    prompt(question);
    let mut text = String::new();
    let read = std::io::stdin().read_line(&mut text).map_err(local)?;
    Ok((read > 0).then(|| text.trim().to_owned()))
}

/// Puts the terminal back as it was, however the question ends.
struct Restore(Termios);

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
        prompt("(hidden)\n");
    }
}

/// One line that is not shown; none after Ctrl-C or at the end of the input. Keys arrive one by one and Ctrl-C as a
/// key, so that the terminal is never left without its echo.
pub(super) fn hidden(question: &str) -> Result<Option<String>, Failure> {
    prompt(question);
    let before = tcgetattr(std::io::stdin()).map_err(local)?;
    let mut quiet = before.clone();
    quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet).map_err(local)?;
    let _restore = Restore(before);
    let mut typed = Vec::new();
    for byte in std::io::stdin().lock().bytes() {
        match byte.map_err(local)? {
            b'\r' | b'\n' => return Ok(Some(String::from_utf8_lossy(&typed).trim().to_owned())),
            0x03 | 0x04 => return Ok(None),
            0x7f | 0x08 => drop(typed.pop()),
            0x15 => typed.clear(),
            byte => typed.push(byte),
        }
    }
    Ok(None)
}
