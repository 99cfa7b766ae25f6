//! Changed copies of sample inputs, the same ones for the same seed: what a fuzzer does, for a test that repeats.

/// Bytes that mean something to one parser or another.
const LIKELY: &[u8] = b" \n()[]{}:,.=*'\"\\\x03\x04\x050@";

/// A source of changed inputs.
pub struct Mutator {
    state: u64,
    samples: Vec<Vec<u8>>,
}

impl Mutator {
    /// Changes these samples; at least one.
    pub fn new(seed: u64, samples: Vec<Vec<u8>>) -> Self {
        assert!(!samples.is_empty(), "nothing to change");
        Self { state: seed | 1, samples }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % limit.max(1)
    }

    fn sample(&mut self) -> Vec<u8> {
        let index = self.below(self.samples.len());
        self.samples[index].clone()
    }

    /// Some lines or bytes of a sample.
    fn piece(&mut self) -> Vec<u8> {
        let sample = self.sample();
        let from = self.below(sample.len());
        let len = self.below(64.min(sample.len() - from + 1));
        sample[from..from + len].to_vec()
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut data = self.sample();
        for _ in 0..1 + self.below(6) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(16)).min(data.len());
            match self.below(6) {
                0 => drop(data.drain(at..end)),
                1 => {
                    let piece = self.piece();
                    data.splice(at..at, piece);
                }
                2 => {
                    let piece = self.piece();
                    data.splice(at..end, piece);
                }
                3 if at < data.len() => data[at] = self.below(256) as u8,
                4 => {
                    let copy = data[at..end].repeat(1 + self.below(40));
                    data.splice(at..at, copy);
                }
                _ => data.insert(at, LIKELY[self.below(LIKELY.len())]),
            }
        }
        data
    }
}
