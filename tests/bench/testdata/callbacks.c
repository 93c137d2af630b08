/* Callbacks that do next to nothing: what calling them costs. */
#include "seam_callback.h"

static uint64_t seen;
static double sum;

static int look(struct seam_call *c)
{
	seen += c->arg[0] > 7;
	return SEAM_CONTINUE;
}

static int add(struct seam_call *c)
{
	sum += c->arg[0];
	return SEAM_CONTINUE;
}

const struct seam_callback seam_callbacks[] = {
	SEAM_CALLBACK(SEAM_PRE, "libwork:work_native", look),
	SEAM_CALLBACK(SEAM_POST, "libwork:work_after", look),
	SEAM_CALLBACK(SEAM_PRE, "libwork:work_vectors", add),
};
