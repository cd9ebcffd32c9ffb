//! One row of a typed table as binary COPY sends it: a count of fields, then length and bytes of each, big-endian
//! (PostgreSQL manual, COPY, "Binary Format"). Encoded where it is read, so that the loader only passes bytes on.

/// Seconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_2000: i64 = 946_684_800;
const DAY_2000: i32 = 10_957;
/// Object ids of types, which arrays of them name.
const FLOAT8_OID: i32 = 701;
const INT4_OID: i32 = 23;
const TIMESTAMPTZ_OID: i32 = 1184;

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
        self.bool_or_null(Some(value));
    }

    pub(crate) fn bool_or_null(&mut self, value: Option<bool>) {
        self.field(value.map(|value| [u8::from(value)]).as_ref().map(<[u8; 1]>::as_slice));
    }

    /// `bigint`.
    pub(crate) fn long(&mut self, value: Option<i64>) {
        self.field(value.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// `date`, from days since 1970.
    pub(crate) fn date(&mut self, day: i32) {
        self.int(Some(day - DAY_2000));
    }

    pub(crate) fn float(&mut self, value: Option<f64>) {
        self.field(value.map(f64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// `timestamptz`, from seconds since 1970.
    pub(crate) fn instant(&mut self, seconds: Option<i64>) {
        self.instant_us(seconds.map(|seconds| seconds * 1_000_000));
    }

    /// `timestamptz`, from microseconds since 1970.
    pub(crate) fn instant_us(&mut self, micros: Option<i64>) {
        self.field(micros.map(since_2000).as_ref().map(<[u8; 8]>::as_slice));
    }

    /// `uuid`.
    pub(crate) fn uuid(&mut self, value: u128) {
        self.field(Some(&value.to_be_bytes()));
    }

    pub(crate) fn text(&mut self, value: Option<&str>) {
        self.field(value.map(str::as_bytes));
    }

    /// `bytea`.
    pub(crate) fn bytea(&mut self, value: &[u8]) {
        self.field(Some(value));
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
        self.array(FLOAT8_OID, values.map(|value| Some(value.to_be_bytes())));
    }

    /// `double precision[]` with nulls in it; null for an empty one, and for one of nulls alone.
    pub(crate) fn sparse_floats(&mut self, values: impl ExactSizeIterator<Item = Option<f64>> + Clone) {
        if values.clone().all(|value| value.is_none()) {
            return self.null();
        }
        self.array(FLOAT8_OID, values.map(|value| value.map(f64::to_be_bytes)));
    }

    /// `timestamptz[]` from microseconds since 1970, with nulls in it; null for an empty one, and for one of nulls alone.
    pub(crate) fn sparse_instants(&mut self, values: impl ExactSizeIterator<Item = Option<i64>> + Clone) {
        if values.clone().all(|value| value.is_none()) {
            return self.null();
        }
        self.array(TIMESTAMPTZ_OID, values.map(|value| value.map(since_2000)));
    }

    /// `integer[]`; null for an empty one.
    pub(crate) fn ints(&mut self, values: impl ExactSizeIterator<Item = i32>) {
        self.array(INT4_OID, values.map(|value| Some(value.to_be_bytes())));
    }

    /// An array of one dimension; its length is filled in once its elements are written.
    fn array<T: AsRef<[u8]>>(&mut self, oid: i32, values: impl ExactSizeIterator<Item = Option<T>>) {
        let Ok(count) = i32::try_from(values.len()) else { return self.null() };
        if count == 0 {
            return self.null();
        }
        self.begin(0);
        let start = self.bytes.len();
        for word in [1, 0, oid, count, 1] {
            self.bytes.extend_from_slice(&i32::to_be_bytes(word)); // dimensions, no nulls, type, length, lower bound
        }
        for value in values {
            let Some(value) = value else {
                self.bytes[start + 7] = 1; // there are nulls
                self.bytes.extend_from_slice(&(-1i32).to_be_bytes());
                continue;
            };
            self.bytes.extend_from_slice(&length(value.as_ref().len()));
            self.bytes.extend_from_slice(value.as_ref());
        }
        let whole = length(self.bytes.len() - start);
        self.bytes[start - 4..start].copy_from_slice(&whole);
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

    fn begin(&mut self, size: usize) {
        self.count();
        self.bytes.extend_from_slice(&length(size));
    }

    fn count(&mut self) {
        self.fields += 1;
        let count = self.fields.to_be_bytes();
        self.bytes[..2].copy_from_slice(&count);
    }
}

/// Fields are capped far below 2 GiB by their readers.
fn length(size: usize) -> [u8; 4] {
    i32::try_from(size).unwrap_or(i32::MAX).to_be_bytes()
}

/// Microseconds since 1970 as PostgreSQL counts them.
fn since_2000(micros: i64) -> [u8; 8] {
    (micros - EPOCH_2000 * 1_000_000).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_says_its_length_type_and_nulls() {
        let mut row = Row::default();
        row.clear();
        row.ints([7].into_iter());
        row.sparse_floats([None, Some(1.5)].into_iter());
        row.sparse_instants([None, None].into_iter());
        let ints = [0u8, 0, 0, 28, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7];
        let floats = [
            &[0u8, 0, 0, 36, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 2, 189, 0, 0, 0, 2, 0, 0, 0, 1, 255, 255, 255, 255][..],
            &[0, 0, 0, 8],
            &1.5f64.to_be_bytes(),
        ];
        assert_eq!(row.bytes(), [&[0u8, 3][..], &ints, &floats.concat(), &[255, 255, 255, 255]].concat());
    }

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
