/* again.c: objects that are unloaded, and come again.
 *
 * A program may load and unload one plugin a thousand times. Its slots, its sites in
 * the arena, its plan and its trampolines are there from the first time: what is
 * new is where it lies, and that its code is unpatched.
 */
#include "load.h"

/* Of an object that has gone nothing is running any more: its entry can be taken
 * by the next of the same file. */
void seam_done_left(struct seam_load *l)
{
	for (uint32_t k = 0; k < l->ndone; k++) {
		struct seam_done *d = &l->done[k];
		d->loaded = 0;
		for (uint32_t i = 0; i < l->nobj && !d->loaded; i++)
			d->loaded = l->obj[i].text_hi && l->obj[i].text_lo == d->text_lo && !l->obj[i].is_new;
	}
}

/* Nearest first: at the same place its trampolines are right as they are. */
void seam_done_find(struct seam_load *l, struct seam_object *o)
{
	for (uint32_t k = 0; k < l->ndone; k++) {
		struct seam_done *d = &l->done[k];
		if (d->loaded || d->dev != o->dev || d->ino != o->ino || d->size != o->size || d->mtime_ns != o->mtime_ns)
			continue;
		if (!o->done || d->bias == o->bias)
			o->done = d;
	}
	if (!o->done)
		return;
	o->done->loaded = 1;
	o->plan = o->done->plan;
}

void seam_done_note(struct seam_load *l, struct seam_object *o, unsigned char *mem, uint64_t size)
{
	struct seam_done *d = o->done;
	unsigned char *pointers = d ? d->pointers : 0;
	if (!d) {
		if (l->ndone == MAX_OBJECTS)
			return; /* the next time it is planned, and paid for, anew */
		d = &l->done[l->ndone++];
	}
	*d = (struct seam_done){ .dev = o->dev, .ino = o->ino, .size = o->size, .mtime_ns = o->mtime_ns, .text_lo = o->text_lo,
		.bias = o->bias, .plan = o->plan, .mem = mem, .mem_size = size, .pointers = pointers, .loaded = 1 };
	o->now = d;
}
