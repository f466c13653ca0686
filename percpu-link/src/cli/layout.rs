//! `layout`: the arithmetic of the first chunk alone.

use std::ffi::OsString;

use clap::Args;
use percpu_rt::abi::layout::{
    DEFAULT_ATOM_SIZE, DEFAULT_DYN_SIZE, DEFAULT_PAGE_SIZE, DEFAULT_RESERVED_SIZE, LOCAL_DISTANCE, Request,
};

use crate::emit::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::model::{FirstChunk, Group, VERSION};
use crate::size;
use crate::stream::{self, Color};

/// As many as Linux can be configured for; grouping takes the square of it.
const MOST_CPUS: usize = 8192;

const EXAMPLES: &str = "\
Sizes are in bytes: decimal, hexadecimal with 0x, or with one of the suffixes K, M and G.

Examples:
  percpu-link layout --static 192512 --cpus 12 --nodes 4
  percpu-link layout --static 45K --atom 64K --page 64K --cpus 256 --format json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Opts {
    /// Bytes of the template: what `report` calls the static size
    #[arg(long = "static", value_name = "SIZE", value_parser = size::parse)]
    static_size: u64,
    /// Bytes kept for loadable modules
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value_t = DEFAULT_RESERVED_SIZE)]
    reserved: u64,
    /// Bytes for dynamic allocation; grows to fill the unit
    #[arg(long = "dyn", value_name = "SIZE", value_parser = size::parse, default_value_t = DEFAULT_DYN_SIZE)]
    dyn_size: u64,
    /// The granule of allocation
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value_t = DEFAULT_ATOM_SIZE)]
    atom: u64,
    /// The page size
    #[arg(long, value_name = "SIZE", value_parser = size::parse, default_value_t = DEFAULT_PAGE_SIZE)]
    page: u64,
    /// The number of possible CPUs
    #[arg(long, value_name = "N")]
    cpus: usize,
    /// The number of NUMA nodes, over which the CPUs are spread in equal blocks
    #[arg(long, value_name = "N", default_value_t = 1)]
    nodes: usize,
    /// Deal the CPUs out to the nodes one by one instead
    #[arg(long)]
    interleave: bool,
    /// The form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value_t)]
    format: Format,
}

pub(super) fn run(opts: &Opts, behind: &[OsString], color: Color) -> Result<Exit, Error> {
    if !behind.is_empty() {
        return Err(Error::Usage("`layout` takes no arguments behind `--`; leave them out".into()));
    }
    let chunk = first_chunk(opts)?;
    stream::print(&emit::first_chunk(&chunk, opts.format), color)?;
    Ok(Exit::Good)
}

fn first_chunk(opts: &Opts) -> Result<FirstChunk, Error> {
    let &Opts { cpus, nodes, .. } = opts;
    if cpus > MOST_CPUS {
        return Err(Error::Usage(format!("{cpus} cpus are too many; give at most {MOST_CPUS}")));
    }
    if nodes == 0 || nodes > cpus.max(1) {
        return Err(Error::Usage(format!("{cpus} cpus cannot be on {nodes} nodes; give 1 to {cpus} nodes")));
    }
    let node = |cpu: usize| if opts.interleave { cpu % nodes } else { cpu * nodes / cpus };
    let distance = |a, b| if node(a) == node(b) { LOCAL_DISTANCE } else { 2 * LOCAL_DISTANCE };
    let request = Request {
        static_size: opts.static_size,
        reserved_size: opts.reserved,
        dyn_size: opts.dyn_size,
        atom_size: opts.atom,
        page_size: opts.page,
    };
    let (mut groups, mut unit_offsets) = (vec![0; cpus], vec![0; cpus]);
    let chunk = request
        .arrange(distance, &mut groups, &mut unit_offsets)
        .map_err(|error| Error::Usage(format!("{error}; change the sizes asked for")))?;

    let mut listed: Vec<Group> = Vec::with_capacity(chunk.nr_groups);
    for (cpu, group) in groups.into_iter().enumerate() {
        // Groups are numbered in the order of their first CPUs.
        if group == listed.len() {
            listed.push(Group { node: node(cpu), cpus: Vec::new() });
        }
        listed[group].cpus.push(cpu);
    }
    Ok(FirstChunk {
        version: VERSION,
        unit_size: chunk.unit_size,
        alloc_size: chunk.alloc_size,
        upa: chunk.upa,
        nr_groups: chunk.nr_groups,
        nr_units: chunk.nr_units,
        dyn_size: chunk.sizes.dyn_size,
        groups: listed,
        unit_offsets,
        static_size: opts.static_size,
        reserved_size: opts.reserved,
        atom_size: opts.atom,
    })
}
