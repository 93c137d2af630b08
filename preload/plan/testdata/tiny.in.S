# size 3
# Too short for a jump, but padding follows.
f:	xor %eax, %eax
	ret
	nopw 0(%rax,%rax)
	nopw 0(%rax,%rax)
