//! Messages over a pair of streams, each behind its length. What is larger than any editor's
//! message is not read, and what is no message is left out: both are told to the editor.

use std::io::{self, BufRead, Read as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, unbounded};
use lsp_server::{Connection, Message, Notification};
use lsp_types as lsp;
use lsp_types::notification::Notification as _;

use crate::ServeError;

/// The largest message that is read, in bytes.
const MOST: u64 = 256 << 20;

/// The longest line of a header, in bytes.
const LINE: u64 = 8 << 10;

/// The threads that read and write.
#[derive(Debug)]
pub(crate) struct Threads {
    reader: JoinHandle<Result<(), ServeError>>,
    writer: JoinHandle<io::Result<()>>,
    complaints: Complaints,
}

/// How the reader tells the editor, as long as there is somebody to write it.
type Complaints = Arc<Mutex<Option<Sender<Message>>>>;

impl Threads {
    /// Waits until everything is written. Says what was wrong with what was read, if that is
    /// why there is no more of it.
    pub(crate) fn join(self) -> Result<(), ServeError> {
        // The reader may wait for an editor that has nothing more to say: nobody waits for it.
        drop(take(&self.complaints));
        let written = self.writer.join();
        if self.reader.is_finished() {
            self.reader.join().unwrap_or(Ok(()))?;
        }
        match written {
            Ok(Err(error)) => Err(ServeError(format!("the editor is gone: {error}"))),
            _ => Ok(()),
        }
    }
}

/// A connection to who speaks at `input` and listens at `output`.
///
/// # Errors
/// What the system says where there are no threads to be had.
pub(crate) fn connect(
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<(Connection, Threads)> {
    let (sender, to_write) = unbounded();
    let (found, receiver) = unbounded();
    let complaints: Complaints = Arc::new(Mutex::new(Some(sender.clone())));
    let of_reader = complaints.clone();
    let reader = thread::Builder::new().name("read".to_owned());
    let reader = reader.spawn(move || read_all(input, &found, &of_reader))?;
    let writer = thread::Builder::new().name("write".to_owned());
    let writer = writer.spawn(move || write_all(output, &to_write))?;
    let connection = Connection { sender, receiver };
    let threads = Threads {
        reader,
        writer,
        complaints,
    };
    Ok((connection, threads))
}

fn write_all(mut output: impl Write, messages: &Receiver<Message>) -> io::Result<()> {
    for message in messages {
        message.write(&mut output)?;
    }
    Ok(())
}

fn read_all(
    mut input: impl BufRead,
    found: &Sender<Message>,
    complaints: &Complaints,
) -> Result<(), ServeError> {
    loop {
        let Some(bytes) = read(&mut input)? else {
            return Ok(());
        };
        let message = match serde_json::from_slice::<Message>(&bytes) {
            Ok(message) => message,
            Err(error) => {
                if let Some(sender) = &*lock(complaints) {
                    // Nobody is there any more when the server ends.
                    let _ = sender.send(complaint(&error).into());
                }
                continue;
            }
        };
        let is_last = matches!(&message, Message::Notification(said) if said.method == "exit");
        if found.send(message).is_err() || is_last {
            return Ok(());
        }
    }
}

fn lock(complaints: &Complaints) -> MutexGuard<'_, Option<Sender<Message>>> {
    complaints.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(complaints: &Complaints) -> Option<Sender<Message>> {
    lock(complaints).take()
}

fn complaint(error: &serde_json::Error) -> Notification {
    let params = lsp::LogMessageParams {
        typ: lsp::MessageType::ERROR,
        message: format!("what was sent is no message: {error}"),
    };
    Notification::new(lsp::notification::LogMessage::METHOD.to_owned(), params)
}

/// The bytes of the next message. `None`: there is none.
fn read(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, ServeError> {
    let failed = |error: io::Error| ServeError(format!("the editor can't be read: {error}"));
    let mut length = None;
    loop {
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut *input, LINE);
        let count = limited.read_until(b'\n', &mut line).map_err(failed)?;
        if count == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        if !line.ends_with('\n') {
            return Err(ServeError("a header of a message has no end".to_owned()));
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(ServeError(format!("`{line}` is no header of a message")));
        };
        if name.trim().eq_ignore_ascii_case("Content-Length") {
            length = Some(value.trim().to_owned());
        }
    }
    let Some(length) = length else {
        return Err(ServeError("a message does not say its length".to_owned()));
    };
    let Ok(count) = length.parse::<u64>() else {
        return Err(ServeError(format!("`{length}` is no length of a message")));
    };
    if count > MOST {
        let words = format!("a message of {count} bytes is too large: {MOST} at most");
        return Err(ServeError(words));
    }
    // What is said is not believed before it is there.
    let mut bytes = Vec::new();
    let read = io::Read::take(&mut *input, count).read_to_end(&mut bytes);
    read.map_err(failed)?;
    if (bytes.len() as u64) < count {
        return Err(ServeError("a message ends before its length".to_owned()));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> (Vec<String>, Result<(), ServeError>, usize) {
        let (found, messages) = unbounded();
        let (complaints, complained) = unbounded();
        let complaints = Arc::new(Mutex::new(Some(complaints)));
        let ended = read_all(text.as_bytes(), &found, &complaints);
        let methods = messages.try_iter().filter_map(|message| match message {
            Message::Notification(said) => Some(said.method),
            _ => None,
        });
        (methods.collect(), ended, complained.try_iter().count())
    }

    fn framed(text: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{text}", text.len())
    }

    #[test]
    fn messages_are_read_one_after_the_other() {
        let one = framed(r#"{"jsonrpc":"2.0","method":"a"}"#);
        let other = r#"{"jsonrpc":"2.0","method":"b"}"#;
        let other = format!(
            "content-length:{}\nContent-Type: x; charset=utf-8\n\n{other}",
            other.len()
        );
        let exit = framed(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        let (methods, ended, complained) = heard(&format!("{one}{other}{exit}rest"));
        assert_eq!(methods, ["a", "b", "exit"]);
        assert_eq!((ended, complained), (Ok(()), 0));
        assert_eq!(heard(""), (Vec::new(), Ok(()), 0));
    }

    #[test]
    fn what_is_no_message_is_left_out() {
        let after = framed(r#"{"jsonrpc":"2.0","method":"a"}"#);
        for wrong in ["{", "[]", "\u{fffd}", "{}", "", "null"] {
            let (methods, ended, complained) = heard(&format!("{}{after}", framed(wrong)));
            assert_eq!(methods, ["a"], "{wrong}");
            assert_eq!((ended, complained), (Ok(()), 1), "{wrong}");
        }
    }

    #[test]
    fn what_has_no_length_ends_the_conversation() {
        for (text, words) in [
            ("Content-Length: x\r\n\r\n", "`x` is no length"),
            ("Content-Length: -1\r\n\r\n", "`-1` is no length"),
            (
                "Content-Length: 99999999999999999999\r\n\r\n",
                "is no length",
            ),
            (
                "Content-Length: 18446744073709551615\r\n\r\n{}",
                "is too large",
            ),
            ("Content-Length: 999999999999\r\n\r\n{}", "is too large"),
            ("Content-Length: 99\r\n\r\n{}", "ends before its length"),
            ("Content-Type: x\r\n\r\n{}", "does not say its length"),
            ("nonsense\r\n\r\n", "is no header"),
            ("Content-Length: 2", "has no end"),
        ] {
            let (_, ended, _) = heard(text);
            let error = ended.expect_err(text);
            assert!(error.0.contains(words), "{text}: {error}");
        }
        let endless = "x".repeat(1 << 20);
        assert!(heard(&endless).1.is_err());
    }
}
