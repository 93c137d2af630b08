package plan

import (
	stdhex "encoding/hex"
	"strings"
	"testing"
)

// TestDecodeTable covers encodings that real code has too rarely to be met in
// a stretch of a library. The bytes are those of the GNU assembler.
func TestDecodeTable(t *testing.T) {
	for _, tc := range []struct {
		code string
		text string
		rip  bool
	}{
		{"f30f1efa", "endbr64", false},
		{"c5f877", "vzeroupper", false},
		{"c5fe6f0500010000", "vmovdqu 0x100(%rip), %ymm0", true},
		{"62f17d48740d00020000", "vpcmpeqb 0x200(%rip), %zmm0, %k1", true},
		{"62e1fe486f4701", "vmovdqu64 0x40(%rdi), %zmm16", false},
		{"62f36d28250d0001000005", "vpternlogd $5, 0x100(%rip), %ymm2, %ymm1", true},
		{"c5f9c4c105", "vpinsrw $5, %ecx, %xmm0, %xmm0", false},
		{"c5f9c5c105", "vpextrw $5, %xmm1, %eax", false},
		{"c5f970c11b", "vpshufd $0x1b, %xmm1, %xmm0", false},
		{"c5f8c2c102", "vcmpps $2, %xmm1, %xmm0, %xmm0", false},
		{"c4e272f7c0", "sarx %ecx, %eax, %eax", false},
		{"c4e2e3f6c1", "mulx %rcx, %rbx, %rax", false},
		{"833d0001000005", "cmpl $5, 0x100(%rip)", true},
		{"64488b042510000000", "mov %fs:0x10, %rax", false},
		{"66488d3d00010000", "data16 lea 0x100(%rip), %rdi", true},
		{"f2ff2500100000", "bnd jmp *0x1000(%rip)", true},
		{"3effe0", "notrack jmp *%rax", false},
		{"f00fb10d10000000", "lock cmpxchg %ecx, 0x10(%rip)", true},
		{"f3480f1ec8", "rdsspq %rax", false},
		{"0fc72424", "xsavec (%rsp)", false},
		{"666a05", "pushw $5", false},
		{"48b88877665544332211", "movabs", false},
		{"66b83412", "mov $0x1234, %ax", false},
		{"a18877665544332211", "movabs, %eax", false},
		{"67a111223344", "addr32 mov, %eax", false},
		{"c8100001", "enter $16, $1", false},
		{"c21000", "ret $16", false},
		{"f70578563412efbeadde", "testl $0xdeadbeef, 0x12345678(%rip)", true},
		{"66f705785634120100", "testw $1, 0x12345678(%rip)", true},
		{"f6c101", "test $1, %cl", false},
		{"f6d9", "neg %cl", false},
		{"8b0425f0ffffff", "mov 0xfffffffffffffff0, %eax", false},
		{"428b044d00000000", "mov 0(,%r9,2), %eax", false},
		{"418b4500", "mov 0(%r13), %eax", false},
		{"41ff6424f8", "jmp *-8(%r12)", false},
	} {
		code, err := stdhex.DecodeString(tc.code)
		if err != nil {
			t.Fatal(err)
		}
		in, ok := decode(append(code, 0x90, 0x90, 0x90))
		if !ok || in.len != len(code) || in.ripRel != tc.rip {
			t.Errorf("%s %s: decoded %v, length %d of %d, rip-relative %v", tc.code, tc.text, ok, in.len, len(code), in.ripRel)
		}
		for n := range code {
			if in, ok := decode(code[:n]); ok && in.len == len(code) {
				t.Errorf("%s: decoded from %d bytes", tc.text, n)
			}
		}
	}
	for _, bad := range []string{"", "06", "9a", "62", "c5", "0f04", "c7f800000000", "66e900000000", "4866", "4848", "48f3", "482e90", "8fe8", "ffff", "d6", strings.Repeat("66", 15)} {
		code, _ := stdhex.DecodeString(bad)
		if in, ok := decode(code); ok {
			t.Errorf("%q decoded, length %d", bad, in.len)
		}
	}
}

// TestDisagreementIsSeen: an instruction of which the two decoders do not say
// the same is not moved.
func TestDisagreementIsSeen(t *testing.T) {
	code := []byte{0x48, 0x89, 0xe5, 0x90}
	in, _ := decode(code)
	if !agrees(code, &in) {
		t.Error("mov: no agreement")
	}
	in.len++
	if agrees(code, &in) {
		t.Error("a wrong length passes")
	}
}
