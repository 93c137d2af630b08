/* Entered by a jump from a Go function that would have ended the process, on
 * whatever stack it had: align it as C expects. Never returns. */
	.text
	.globl	seam_park_entry
	.hidden	seam_park_entry
	.type	seam_park_entry, @function
seam_park_entry:
	andq	$-16, %rsp
	call	seam_park
	hlt
	.size	seam_park_entry, .-seam_park_entry
	.section .note.GNU-stack,"",@progbits
