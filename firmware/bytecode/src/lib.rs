//! The instruction set: encoder, decoder, disassembler, verifier.
