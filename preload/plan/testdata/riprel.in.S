# A rip-relative operand with an immediate behind the displacement.
f:	cmpb $1, data(%rip)
	mov $1, %eax
	ret
