// Package plan decides, for one ELF file and one spec, which functions are to
// be patched and how: which bytes are displaced, what they become elsewhere,
// which thunk the call goes through, and why a function cannot be patched.
// It is a pure function of (file, spec); the core applies its result after
// comparing the bytes in memory with those the plan was made from.
//
//	caller ──► function            thunk                    trampoline
//	           jmp thunk ────────► enter, ─── calls ──────► displaced instructions
//	           (5 bytes)           leave                    jmp function+patch_len
//	           rest of body ◄───────────────────────────────┘
//
// The agent runs this inside the target, so it reads the file through
// bounds-checked pread (never a mapping: a truncated file must not be a
// SIGBUS), imports little, and treats every byte of the file as hostile.
//
// Two decoders are at work. insn.go measures instructions and is the authority
// on lengths and rip-relative operands, because x86asm (as of v0.32) reports
// vzeroupper one byte too long and does not mark the rip-relative operands of
// VEX and EVEX instructions. x86asm prints disassembly, and has to agree with
// insn.go on every legacy instruction that is about to be displaced.
package plan
