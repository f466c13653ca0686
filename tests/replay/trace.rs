//! Recorded allocations.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// One event; objects are numbered from 0 in the order of their allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Alloc { object: u32, size: u32, align: u32, atomic: bool },
    Free { object: u32, size: u32 },
}

/// A trace.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The file's name without its endings, `-` for standard input.
    pub(crate) name: String,
    pub(crate) events: Vec<Event>,
    /// Number of allocations.
    pub(crate) objects: usize,
}

/// Why a trace cannot be read.
#[derive(Debug)]
pub(crate) enum TraceError {
    Read(io::Error),
    Line { number: usize, text: String },
    UnknownObject { number: usize, id: u64 },
    LiveObject { number: usize, id: u64 },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "{error}"),
            Self::Line { number, text } => {
                write!(f, "line {number} is no event (`a ID SIZE ALIGN 0|1` or `f ID`): {text:?}")
            }
            Self::UnknownObject { number, id } => write!(f, "line {number} frees {id}, which is not allocated"),
            Self::LiveObject { number, id } => write!(f, "line {number} allocates {id}, which is allocated already"),
        }
    }
}

/// Reads a trace, from standard input where the path is `-`, uncompressing it where it begins as gzip does.
pub(crate) fn read(path: &Path) -> Result<Trace, TraceError> {
    let mut file: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(TraceError::Read)?))
    };
    let is_gzip = file.fill_buf().map_err(TraceError::Read)?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { file };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".gz").trim_end_matches(".trace").to_owned();
    parse(name, BufReader::new(text))
}

fn parse(name: String, text: impl BufRead) -> Result<Trace, TraceError> {
    let mut live = HashMap::new();
    let mut events = Vec::new();
    let mut objects = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.map_err(TraceError::Read)?;
        if line.is_empty() {
            continue;
        }
        let wrong = || TraceError::Line { number, text: line.clone() };
        let mut fields = line.split_ascii_whitespace();
        let kind = fields.next();
        let numbers: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let event = match (kind, numbers[..].as_ref()) {
            (Some("a"), &[id, size, align, atomic @ (0 | 1)]) => {
                let object = objects;
                if live.insert(id, (object, size)).is_some() {
                    return Err(TraceError::LiveObject { number, id });
                }
                objects += 1;
                let narrow = |number: u64| u32::try_from(number).map_err(|_| wrong());
                Event::Alloc { object, size: narrow(size)?, align: narrow(align)?, atomic: atomic == 1 }
            }
            (Some("f"), &[id]) => {
                let (object, size) = live.remove(&id).ok_or(TraceError::UnknownObject { number, id })?;
                Event::Free { object, size: size as u32 }
            }
            _ => return Err(wrong()),
        };
        events.push(event);
    }
    Ok(Trace { name, events, objects: objects as usize })
}
