//! Decoding the return value of a call.

use rsyscall::Errno;

/// Every return value is a result or an error, and every error converts back to it.
pub fn errno(data: &[u8]) {
    for chunk in data.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let word = u64::from_le_bytes(word) as usize;
        let signed = word as isize;
        match Errno::from_ret(word) {
            Ok(result) => {
                assert_eq!(result, word);
                assert!(!(-4095..0).contains(&signed));
            }
            Err(errno) => {
                assert!((-4095..0).contains(&signed));
                assert_eq!(errno.into_ret(), word);
                assert_eq!(errno.raw() as isize, -signed);
                assert_eq!(Errno::from_raw(errno.raw()), Some(errno));
                assert_eq!(errno.name().is_some(), errno.message().is_some());
                assert!(!errno.to_string().is_empty() && !format!("{errno:?}").is_empty());
            }
        }
        let raw = signed as i32;
        assert_eq!(Errno::from_raw(raw).map(Errno::raw), Some(raw).filter(|raw| (1..=4095).contains(raw)));
    }
}
