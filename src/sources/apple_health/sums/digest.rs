//! The digest of an id that the database takes with `uuid_hash_extended(id, ordinal)`, so that a day added up here and one
//! added up there are told to be the same. The function is the 64-bit form of Bob Jenkins' lookup3, which PostgreSQL
//! promises to keep: hash partitions of every cluster depend on it.

/// Digest of an id, as an integer of the database.
pub(super) fn of(id: u128, ordinal: i32) -> i64 {
    let bytes = id.to_be_bytes();
    let word = |place: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[place * 4..place * 4 + 4]);
        u32::from_le_bytes(word)
    };
    let begin = 0x9e37_79b9_u32.wrapping_add(16).wrapping_add(3_923_095);
    let mut state = [begin; 3];
    if ordinal != 0 {
        // The seed has 64 bits, and an ordinal is never negative.
        state[1] = state[1].wrapping_add(ordinal.cast_unsigned());
        mix(&mut state);
    }
    for (place, part) in state.iter_mut().enumerate() {
        *part = part.wrapping_add(word(place));
    }
    mix(&mut state);
    state[0] = state[0].wrapping_add(word(3));
    let [_, high, low] = finish(state);
    (u64::from(high) << 32 | u64::from(low)).cast_signed()
}

fn mix(state: &mut [u32; 3]) {
    let [mut a, mut b, mut c] = *state;
    for turns in [[4, 6, 8], [16, 19, 4]] {
        a = a.wrapping_sub(c) ^ c.rotate_left(turns[0]);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(turns[1]);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(turns[2]);
        b = b.wrapping_add(a);
    }
    *state = [a, b, c];
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    c = (c ^ b).wrapping_sub(b.rotate_left(24));
    [a, b, c]
}

#[cfg(test)]
mod tests {
    /// What PostgreSQL 15 answers.
    #[test]
    fn it_is_the_digest_of_the_database() {
        let id = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff;
        assert_eq!(super::of(id, 1), -5_773_200_056_445_161_607);
        assert_eq!(super::of(id, 0), 4_462_459_420_613_485_749);
        assert_eq!(super::of(0, 7), 5_271_238_136_782_995_142);
    }
}
