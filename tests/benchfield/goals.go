package main

import "fmt"

// goal is one thing that seam wants to reach, judged by what the same run measured.
type goal struct {
	name  string
	judge func([]*Part) (want, is, met string)
}

var goals = []goal{
	perCallGoal("uftrace's with arguments", "uftrace, arguments and return", 4, "work_six"),
	perCallGoal("uftrace's with arguments", "uftrace, arguments and return", 4, "getenv"),
	perCallGoal("LTTng-UST's", "LTTng-UST", 4, "work_six"),
	perCallGoal("LTTng-UST's", "LTTng-UST", 4, "getenv"),
	perCallGoal("uprobe and uretprobe's (bpftrace)", "bpftrace", 20, "work_six"),
	perCallGoal("ltrace's", "ltrace", 1000, "work_six"),
	{"/bin/true under seam exec, over LTTng's wrapper", startGoal},
	programGoal("sqlite bulk load"),
	programGoal("python"),
	programGoal("gcc"),
	programGoal("nginx throughput"),
	programGoal("redis"),
}

const (
	met     = "met"
	missed  = "**missed**"
	unknown = "not measured"
)

func verdict(ok bool) string {
	if ok {
		return met
	}
	return missed
}

func perCallGoal(whose, row string, times float64, fn string) goal {
	return goal{fmt.Sprintf("cost per recorded call (%s), over %s", fn, whose), func(parts []*Part) (string, string, string) {
		want := fmt.Sprintf("≤ 1/%.0f", times)
		peer, ok1 := find(parts, "calls-1", row, fn)
		own, ok2 := find(parts, "calls-1", "seam", fn)
		if !ok1 || !ok2 || own.Median <= 0 {
			return want, "–", unknown
		}
		is := fmt.Sprintf("1/%.1f (%.1f of %s ns; quiet 1/%.1f)", peer.Median/own.Median, own.Median, number(peer.Median, 0), peer.Quiet/own.Quiet)
		return want, is, verdict(peer.Median >= times*own.Median)
	}}
}

func startGoal(parts []*Part) (string, string, string) {
	own, ok1 := find(parts, "start", "seam exec", "time")
	peer, ok2 := find(parts, "start", "LTTng-UST", "time")
	if !ok1 || !ok2 {
		return "≤ 1/2", "–", unknown
	}
	return "≤ 1/2", fmt.Sprintf("%.2f (%.2f of %.2f ms; quiet %.2f)", own.Median/peer.Median, own.Median, peer.Median, own.Quiet/peer.Quiet), verdict(own.Median*2 <= peer.Median)
}

// programGoal: the programs' tables hold the change over plain, in percent.
func programGoal(column string) goal {
	return goal{column + ", default packs, over plain", func(parts []*Part) (string, string, string) {
		c, ok := find(parts, "programs", "seam, default packs", column)
		if !ok {
			return "≤ 5 %", "–", unknown
		}
		return "≤ 5 %", fmt.Sprintf("%+.1f %% (%+.1f–%+.1f; quiet %+.1f)", c.Median, c.Min, c.Max, c.Quiet), verdict(c.Median <= 5)
	}}
}
