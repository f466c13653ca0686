//! Where an image's layout record is, and what belongs into it.

use object::{Endian, ReadRef};
use percpu_rt::abi::layout::{DEFAULT_PAGE_SIZE, Sizes};
use percpu_rt::abi::record::{ByteOrder, Record, SECTION};
use percpu_rt::abi::{hosted, symbol};

use super::budget::Budget;
use super::elf::{Flaw, Image};
use super::sizes;
use super::template::Template;

/// An image's layout record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// Where it starts in the file.
    pub(crate) offset: u64,
    /// Its bytes as they are.
    pub(crate) bytes: Vec<u8>,
    /// The order of the image's integers.
    pub(crate) order: ByteOrder,
    /// What it should state.
    pub(crate) due: Record,
}

/// Reads the record of the image in `data`, and lays out units for `cpus` CPUs; none where the image has no record.
pub(crate) fn of_image<'d, R: ReadRef<'d>>(data: R, cpus: u64) -> Result<Option<Recorded>, Flaw> {
    let budget = Budget::of(data);
    let image = Image::parse(&budget)?;
    let template = Template::find(&image)?;
    let Some((section, (offset, _))) = image.find(SECTION).and_then(|section| Some((section, section.range?))) else {
        return Ok(None);
    };
    let due = due(&image, &template, cpus)?;
    let order = if image.endian.is_big_endian() { ByteOrder::Big } else { ByteOrder::Little };
    Ok(Some(Recorded { offset, bytes: image.bytes(section)?.to_vec(), order, due }))
}

/// Whether the image is a kernel that was linked with the runtime: programs have the other fragment, or none.
pub(super) fn is_kernel<R>(image: &Image<'_, R>) -> bool {
    image.value_of(symbol::KERNEL_FRAGMENT).is_some() && image.value_of(symbol::FRAGMENT).is_none()
}

/// The units of a kernel for `cpus` CPUs: those that its script has reserved, or as large as they have to be.
fn due_of_kernel<R>(image: &Image<'_, R>, template: &Template, cpus: u64) -> Result<Record, Flaw> {
    let sizes = sizes(template.size)?;
    let value = |name| image.value_of(name).unwrap_or(0);
    let align = value(symbol::ALIGN).max(template.align).max(1);
    let needed = sizes.min_unit_size.checked_next_multiple_of(align.max(DEFAULT_PAGE_SIZE));
    let needed = needed.ok_or_else(|| Flaw::malformed("a unit exceeds 64 bits"))?;
    let (start, end, unit_size) = (value(symbol::UNITS_START), value(symbol::UNITS_END), value(symbol::UNIT_SIZE));
    if let Some(units) = end.wrapping_sub(start).checked_div(unit_size) {
        if unit_size < needed {
            return Err(Flaw::Units(format!(
                "its script reserves units of {unit_size} bytes, and {needed} are needed"
            )));
        }
        if units < cpus {
            return Err(Flaw::Units(format!("its script reserves {units} units, and there are to be {cpus} CPUs")));
        }
    }
    let Sizes { static_size, reserved_size, dyn_size, .. } = sizes;
    Ok(Record { static_size, reserved_size, dyn_size, align, unit_size: unit_size.max(needed), nr_units: cpus })
}

/// What the runtime would compute on a machine with `cpus` CPUs.
fn due<R>(image: &Image<'_, R>, template: &Template, cpus: u64) -> Result<Record, Flaw> {
    if is_kernel(image) {
        return due_of_kernel(image, template, cpus);
    }
    let holder = image.loads.iter().find(|load| template.start.wrapping_sub(load.address) < load.size);
    let align = holder.map_or(template.align, |load| load.align.max(1));
    let sizes = sizes(template.size)?;
    let smallest = hosted::smallest_unit(sizes.min_unit_size, align.max(DEFAULT_PAGE_SIZE));
    let smallest = smallest.ok_or_else(|| Flaw::malformed("a unit exceeds 64 bits"))?;
    let nr_units = hosted::used_units(cpus);
    Ok(Record {
        static_size: sizes.static_size,
        reserved_size: sizes.reserved_size,
        dyn_size: sizes.dyn_size,
        align,
        unit_size: hosted::preferred_unit(nr_units, smallest),
        nr_units,
    })
}
