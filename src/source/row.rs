//! One row of a typed table as binary COPY sends it: a count of fields, then length and bytes of each, big-endian
//! (PostgreSQL manual, COPY, "Binary Format"). Encoded where it is read, so that the loader only passes bytes on.

/// Seconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_2000: i64 = 946_684_800;
/// Object id of `float8`, which an array of it names.
const FLOAT8_OID: i32 = 701;

/// A row being built; reused from record to record.
#[derive(Clone, Default, Debug, PartialEq)]
pub(crate) struct Row {
    bytes: Vec<u8>,
    fields: i16,
}

impl Row {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&[0, 0]);
        self.fields = 0;
    }

    /// The encoded row.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn null(&mut self) {
        self.field(None);
    }

    pub(crate) fn int(&mut self, value: Option<i32>) {
        self.field(value.map(i32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.field(Some(&[u8::from(value)]));
    }

    pub(crate) fn float(&mut self, value: Option<f64>) {
        self.field(value.map(f64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// `timestamptz`, from seconds since 1970.
    pub(crate) fn instant(&mut self, seconds: Option<i64>) {
        let micros = seconds.map(|s| ((s - EPOCH_2000) * 1_000_000).to_be_bytes());
        self.field(micros.as_ref().map(<[u8; 8]>::as_slice));
    }

    /// `uuid`.
    pub(crate) fn uuid(&mut self, value: u128) {
        self.field(Some(&value.to_be_bytes()));
    }

    pub(crate) fn text(&mut self, value: Option<&str>) {
        self.field(value.map(str::as_bytes));
    }

    /// `jsonb`, from JSON text.
    pub(crate) fn jsonb(&mut self, value: Option<&str>) {
        let Some(text) = value else { return self.null() };
        self.begin(text.len() + 1);
        self.bytes.push(1); // the version of jsonb's binary form
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// `double precision[]`; null for an empty one.
    pub(crate) fn floats(&mut self, values: impl ExactSizeIterator<Item = f64>) {
        let Ok(count) = i32::try_from(values.len()) else { return self.null() };
        if count == 0 {
            return self.null();
        }
        self.begin(20 + values.len() * 12);
        for word in [1, 0, FLOAT8_OID, count, 1] {
            self.bytes.extend_from_slice(&i32::to_be_bytes(word)); // dimensions, no nulls, type, length, lower bound
        }
        for value in values {
            self.bytes.extend_from_slice(&8i32.to_be_bytes());
            self.bytes.extend_from_slice(&value.to_be_bytes());
        }
    }

    fn field(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.begin(value.len());
            self.bytes.extend_from_slice(value);
        } else {
            self.count();
            self.bytes.extend_from_slice(&(-1i32).to_be_bytes());
        }
    }

    /// Fields are capped far below 2 GiB by their readers.
    fn begin(&mut self, length: usize) {
        self.count();
        self.bytes.extend_from_slice(&i32::try_from(length).unwrap_or(i32::MAX).to_be_bytes());
    }

    fn count(&mut self) {
        self.fields += 1;
        let count = self.fields.to_be_bytes();
        self.bytes[..2].copy_from_slice(&count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_encoded_as_copy_wants_it() {
        let mut row = Row::default();
        row.clear();
        row.int(Some(7));
        row.null();
        row.text(Some("é"));
        row.instant(Some(EPOCH_2000 + 1));
        assert_eq!(
            row.bytes(),
            [
                &[0u8, 4][..],
                &[0, 0, 0, 4, 0, 0, 0, 7],
                &[255, 255, 255, 255],
                &[0, 0, 0, 2, 0xc3, 0xa9],
                &[0, 0, 0, 8, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40],
            ]
            .concat()
        );
    }
}
