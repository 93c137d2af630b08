# A displaced branch into the middle of a displaced instruction.
f:	je f+3
	mov $0xc3c3c390, %eax
	ret
