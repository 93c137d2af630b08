# Two instructions with displacements of their own.
f:	mov $1, %al
	lock xchg %al, data(%rip)
	lea data2(%rip), %rdx
	ret
