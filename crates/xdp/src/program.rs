//! The BPF program that picks our queries out of what arrives.
//!
//! Written as instructions, so that building needs no second compiler and what runs in the kernel
//! can be read here. Everything that is not clearly a query for us goes on to the kernel.

/// What the program is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Link-layer address of the interface. Frames for others are none of our business.
    pub(crate) mac: [u8; 6],
    /// The map of places that queries are taken at, by its descriptor.
    pub(crate) places: u32,
    /// The map of sockets by queue, by its descriptor.
    pub(crate) sockets: u32,
}

/// The program in the kernel's encoding.
pub(crate) fn assemble(wanted: &Wanted) -> Vec<u64> {
    let rows = rows(wanted);
    let mut instructions = Vec::new();
    for row in &rows {
        let next = instructions.len() + 1;
        match *row {
            Row::Label(_) => {}
            Row::Do(instruction) => instructions.push(instruction.encode()),
            Row::Jump(to, mut instruction) => {
                let distance = place(&rows, to).saturating_sub(next);
                instruction.offset = i16::try_from(distance).unwrap_or(i16::MAX);
                instructions.push(instruction.encode());
            }
            Row::Map(register, map) => {
                let low = Instruction { code: 0x18, to: register, from: PSEUDO_MAP, ..NOTHING };
                instructions.push(low.with(map.cast_signed()).encode());
                instructions.push(NOTHING.encode());
            }
        }
    }
    instructions
}

/// At which instruction a label stands.
fn place(rows: &[Row], label: Label) -> usize {
    let before = rows.iter().take_while(|row| **row != Row::Label(label));
    before
        .map(|row| match row {
            Row::Label(_) => 0,
            Row::Do(_) | Row::Jump(..) => 1,
            Row::Map(..) => 2,
        })
        .sum()
}

/// Registers: r6 context, r7 first octet of the frame, r8 its end. The key of the map of places is
/// built on the stack: address (an IPv4 address as `::ffff:a.b.c.d`), port, two octets of zero.
fn rows(wanted: &Wanted) -> Vec<Row> {
    let [m0, m1, m2, m3, m4, m5] = wanted.mac;
    let mac_head = i32::from_ne_bytes([m0, m1, m2, m3]);
    let net = |octets: [u8; 2]| i32::from(u16::from_ne_bytes(octets));
    use Label::{LookUp, Pass, V4};
    let mut rows = vec![
        Row::Do(mov(R6, R1)),
        Row::Do(load(WORD, R7, R6, CONTEXT_DATA)),
        Row::Do(load(WORD, R8, R6, CONTEXT_END)),
        // Longer than what our memory takes in one piece: no query of ours is.
        Row::Do(mov(R2, R7)),
        Row::Do(add(R2, FRAME_OCTETS_MAX)),
        Row::Jump(Pass, if_less(R2, R8)),
        // Ethernet, IPv4 and UDP headers, and the first octets of DNS.
        Row::Do(mov(R2, R7)),
        Row::Do(add(R2, 14 + 20 + 8 + 4)),
        Row::Jump(Pass, if_greater(R2, R8)),
        // For this interface, not for a group or a neighbour.
        Row::Do(load(WORD, R2, R7, 0)),
        Row::Jump(Pass, if_other_32(R2, mac_head)),
        Row::Do(load(HALF, R2, R7, 4)),
        Row::Jump(Pass, if_other(R2, net([m4, m5]))),
        Row::Do(load(HALF, R2, R7, 12)),
        Row::Jump(V4, if_same(R2, net([0x08, 0x00]))),
        Row::Jump(Pass, if_other(R2, net([0x86, 0xdd]))),
        // IPv6: UDP follows at once, so neither fragments nor other extension headers.
        Row::Do(mov(R2, R7)),
        Row::Do(add(R2, 14 + 40 + 8 + 4)),
        Row::Jump(Pass, if_greater(R2, R8)),
        Row::Do(load(BYTE, R2, R7, 14 + 6)),
        Row::Jump(Pass, if_other(R2, PROTOCOL_UDP)),
        Row::Do(load(WORD, R2, R7, 14 + 24)),
        Row::Do(store(WORD, KEY, R2)),
        Row::Do(load(WORD, R2, R7, 14 + 28)),
        Row::Do(store(WORD, KEY + 4, R2)),
        Row::Do(load(WORD, R2, R7, 14 + 32)),
        Row::Do(store(WORD, KEY + 8, R2)),
        Row::Do(load(WORD, R2, R7, 14 + 36)),
        Row::Do(store(WORD, KEY + 12, R2)),
        Row::Do(load(BYTE, R3, R7, 14 + 40 + 8 + 2)),
        Row::Do(load(HALF, R2, R7, 14 + 40 + 2)),
        Row::Jump(LookUp, always()),
        // IPv4: a header without options, UDP, in one piece.
        Row::Label(V4),
        Row::Do(load(BYTE, R2, R7, 14)),
        Row::Jump(Pass, if_other(R2, 0x45)),
        Row::Do(load(BYTE, R2, R7, 14 + 9)),
        Row::Jump(Pass, if_other(R2, PROTOCOL_UDP)),
        Row::Do(load(HALF, R2, R7, 14 + 6)),
        Row::Do(and(R2, net([0x3f, 0xff]))),
        Row::Jump(Pass, if_other(R2, 0)),
        Row::Do(set(R2, 0)),
        Row::Do(store(WORD, KEY, R2)),
        Row::Do(store(WORD, KEY + 4, R2)),
        Row::Do(set(R2, i32::from_ne_bytes([0, 0, 0xff, 0xff]))),
        Row::Do(store(WORD, KEY + 8, R2)),
        Row::Do(load(WORD, R2, R7, 14 + 16)),
        Row::Do(store(WORD, KEY + 12, R2)),
        Row::Do(load(BYTE, R3, R7, 14 + 20 + 8 + 2)),
        Row::Do(load(HALF, R2, R7, 14 + 20 + 2)),
    ];
    rows.append(&mut look_up(wanted));
    rows
}

/// What is for a place of ours goes to its socket. r2 is the port that was asked, r3 the octet with the
/// opcode.
fn look_up(wanted: &Wanted) -> Vec<Row> {
    use Label::{LookUp, Pass};
    vec![
        Row::Label(LookUp),
        // Dynamic updates (5) go to the sockets, which hand them over.
        Row::Do(and(R3, 0x78)),
        Row::Jump(Pass, if_same(R3, 5 << 3)),
        Row::Do(store(HALF, KEY + 16, R2)),
        Row::Do(set(R2, 0)),
        Row::Do(store(HALF, KEY + 18, R2)),
        Row::Map(R1, wanted.places),
        Row::Do(mov(R2, R10)),
        Row::Do(add(R2, KEY.into())),
        Row::Do(call(MAP_LOOKUP)),
        Row::Jump(Pass, if_same(R0, 0)),
        // To the socket of this queue; to the kernel when there is none.
        Row::Map(R1, wanted.sockets),
        Row::Do(load(WORD, R2, R6, CONTEXT_QUEUE)),
        Row::Do(set(R3, XDP_PASS)),
        Row::Do(call(REDIRECT_MAP)),
        Row::Do(exit()),
        Row::Label(Pass),
        Row::Do(set(R0, XDP_PASS)),
        Row::Do(exit()),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Label(Label),
    Do(Instruction),
    Jump(Label, Instruction),
    Map(Register, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    V4,
    LookUp,
    Pass,
}

type Register = u8;

/// linux/bpf.h: `struct bpf_insn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instruction {
    code: u8,
    to: Register,
    from: Register,
    offset: i16,
    number: i32,
}

impl Instruction {
    fn with(self, number: i32) -> Instruction {
        Instruction { number, ..self }
    }

    fn encode(self) -> u64 {
        // Which half of the octet a register has depends on the order of octets.
        let registers = if cfg!(target_endian = "little") {
            self.to | self.from << 4
        } else {
            self.to << 4 | self.from
        };
        let [o0, o1] = self.offset.to_ne_bytes();
        let [n0, n1, n2, n3] = self.number.to_ne_bytes();
        u64::from_ne_bytes([self.code, registers, o0, o1, n0, n1, n2, n3])
    }
}

fn mov(to: Register, from: Register) -> Instruction {
    Instruction { code: 0xbf, to, from, ..NOTHING }
}

fn set(to: Register, number: i32) -> Instruction {
    Instruction { code: 0xb7, to, ..NOTHING }.with(number)
}

fn add(to: Register, number: i32) -> Instruction {
    Instruction { code: 0x07, to, ..NOTHING }.with(number)
}

fn and(to: Register, number: i32) -> Instruction {
    Instruction { code: 0x57, to, ..NOTHING }.with(number)
}

fn load(size: u8, to: Register, from: Register, offset: i16) -> Instruction {
    Instruction { code: 0x61 | size, to, from, offset, number: 0 }
}

/// Stores on the stack.
fn store(size: u8, offset: i16, from: Register) -> Instruction {
    Instruction { code: 0x63 | size, to: R10, from, offset, number: 0 }
}

fn always() -> Instruction {
    Instruction { code: 0x05, ..NOTHING }
}

fn if_same(left: Register, number: i32) -> Instruction {
    Instruction { code: 0x15, to: left, ..NOTHING }.with(number)
}

fn if_other(left: Register, number: i32) -> Instruction {
    Instruction { code: 0x55, to: left, ..NOTHING }.with(number)
}

/// Compares 32 bits: no sign that is carried on.
fn if_other_32(left: Register, number: i32) -> Instruction {
    Instruction { code: 0x56, to: left, ..NOTHING }.with(number)
}

fn if_greater(left: Register, right: Register) -> Instruction {
    Instruction { code: 0x2d, to: left, from: right, ..NOTHING }
}

fn if_less(left: Register, right: Register) -> Instruction {
    Instruction { code: 0xad, to: left, from: right, ..NOTHING }
}

fn call(function: i32) -> Instruction {
    Instruction { code: 0x85, ..NOTHING }.with(function)
}

fn exit() -> Instruction {
    Instruction { code: 0x95, ..NOTHING }
}

const NOTHING: Instruction = Instruction { code: 0, to: 0, from: 0, offset: 0, number: 0 };
const R0: Register = 0;
const R1: Register = 1;
const R2: Register = 2;
const R3: Register = 3;
const R6: Register = 6;
const R7: Register = 7;
const R8: Register = 8;
/// The end of the stack, which grows down.
const R10: Register = 10;
/// Says that a number of 64 bits is the descriptor of a map.
const PSEUDO_MAP: Register = 1;
const WORD: u8 = 0x00;
const HALF: u8 = 0x08;
const BYTE: u8 = 0x10;
/// Where the key is on the stack.
const KEY: i16 = -24;
// linux/bpf.h: `struct xdp_md`, `enum xdp_action`, `enum bpf_func_id`.
const CONTEXT_DATA: i16 = 0;
const CONTEXT_END: i16 = 4;
const CONTEXT_QUEUE: i16 = 16;
const XDP_PASS: i32 = 2;
const MAP_LOOKUP: i32 = 1;
const REDIRECT_MAP: i32 = 51;
const PROTOCOL_UDP: i32 = 17;
/// Ethernet's header and 1,500 octets: less than a piece of our memory.
const FRAME_OCTETS_MAX: i32 = 1514;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jump_lands_where_its_label_stands() {
        let wanted = Wanted { mac: [2, 0, 0, 0, 0, 1], places: 3, sockets: 4 };
        let (rows, program) = (rows(&wanted), assemble(&wanted));
        // `pass` is the last label, with two instructions.
        assert_eq!(place(&rows, Label::Pass), program.len() - 2);
        let jumps = rows.iter().filter(|row| matches!(row, Row::Jump(..))).count();
        let offsets: Vec<i16> = program
            .iter()
            .map(|word| word.to_ne_bytes())
            .filter(|octets| octets[0] & 0x07 >= 5 && !matches!(octets[0], 0x85 | 0x95))
            .filter(|octets| octets[0] & 0x07 != 7)
            .map(|octets| i16::from_ne_bytes([octets[2], octets[3]]))
            .collect();
        assert_eq!(offsets.len(), jumps);
        assert!(offsets.iter().all(|&offset| offset > 0), "{offsets:?}");
    }

    #[test]
    fn instructions_are_encoded_as_the_kernel_reads_them() {
        let encoded = load(HALF, R2, R7, 12).encode().to_ne_bytes();
        let registers = if cfg!(target_endian = "little") { 0x72 } else { 0x27 };
        let [o0, o1] = 12_i16.to_ne_bytes();
        assert_eq!(encoded, [0x69, registers, o0, o1, 0, 0, 0, 0]);
    }
}
