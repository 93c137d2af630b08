/* The provider: an event for the entry and one for the return of each function, with the fields that seam records. */
#undef TRACEPOINT_PROVIDER
#define TRACEPOINT_PROVIDER field
#undef TRACEPOINT_INCLUDE
#define TRACEPOINT_INCLUDE "./tp.h"
#if !defined(FIELD_TP_H) || defined(TRACEPOINT_HEADER_MULTI_READ)
#define FIELD_TP_H
#include <lttng/tracepoint.h>

TRACEPOINT_EVENT(field, work_six_entry,
	TP_ARGS(long, a, long, b, long, c, long, d, long, e, long, f),
	TP_FIELDS(ctf_integer(long, a, a) ctf_integer(long, b, b) ctf_integer(long, c, c)
		  ctf_integer(long, d, d) ctf_integer(long, e, e) ctf_integer(long, f, f)))
TRACEPOINT_EVENT(field, name_entry,
	TP_ARGS(const char *, function, const char *, name, long, a, long, b),
	TP_FIELDS(ctf_string(function, function) ctf_string(name, name) ctf_integer(long, a, a) ctf_integer(long, b, b)))
TRACEPOINT_EVENT(field, getenv_entry, TP_ARGS(const char *, name), TP_FIELDS(ctf_string(name, name)))
TRACEPOINT_EVENT(field, three_entry,
	TP_ARGS(const char *, function, long, a, long, b, long, c),
	TP_FIELDS(ctf_string(function, function) ctf_integer(long, a, a) ctf_integer(long, b, b) ctf_integer(long, c, c)))
TRACEPOINT_EVENT(field, exit, TP_ARGS(long, ret, int, err), TP_FIELDS(ctf_integer(long, ret, ret) ctf_integer(int, err, err)))
#endif
#include <lttng/tracepoint-event.h>
