package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	ticksPerSecond = 100 // USER_HZ, the same on every Linux architecture Go runs on
	tmpfsMagic     = 0x01021994
)

// usage is what a server and all its descendants have used.
type usage struct {
	cpu            float64 // seconds, user and system
	rss, peak, pss float64 // bytes; pss shares out pages that several map
}

// usage sums over the process tree. CPU of children that have ended is in
// their parent's account.
func (p *process) usage() (usage, error) {
	children, err := childrenOf()
	if err != nil {
		return usage{}, err
	}
	var sum usage
	root := p.cmd.Process.Pid
	for todo := []int{root}; len(todo) > 0; {
		pid := todo[0]
		todo = append(todo[1:], children[pid]...)
		one, err := usageOf(pid)
		if err != nil && pid == root {
			return usage{}, fmt.Errorf("the server is gone: %w", err)
		}
		sum.cpu += one.cpu
		sum.rss += one.rss
		sum.peak += one.peak
		sum.pss += one.pss
	}
	return sum, nil
}

// childrenOf maps each process of the machine to its children.
func childrenOf() (map[int][]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		if fields := statFields(pid); fields != nil {
			parent, err := strconv.Atoi(fields[1])
			if err != nil {
				return nil, err
			}
			children[parent] = append(children[parent], pid)
		}
	}
	return children, nil
}

// statFields are the fields of /proc/PID/stat from the third, state, on; nil
// when the process is gone. The second, the command, may hold blanks and ')'.
func statFields(pid int) []string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := bytes.LastIndexByte(stat, ')')
	if err != nil || end < 0 {
		return nil
	}
	if fields := strings.Fields(string(stat[end+1:])); len(fields) > 14 {
		return fields
	}
	return nil
}

func usageOf(pid int) (usage, error) {
	fields := statFields(pid)
	if fields == nil {
		return usage{}, os.ErrProcessDone
	}
	var u usage
	for _, ticks := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseFloat(ticks, 64)
		if err != nil {
			return usage{}, err
		}
		u.cpu += n / ticksPerSecond
	}
	sizes := kilobytes(fmt.Sprintf("/proc/%d/status", pid))
	u.rss, u.peak = sizes["VmRSS"], sizes["VmHWM"]
	u.pss = kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid))["Pss"]
	return u, nil
}

// kilobytes reads the lines "Name:  123 kB" of a file as bytes; of a file that
// cannot be read, nothing.
func kilobytes(path string) map[string]float64 {
	text, err := os.ReadFile(path)
	sizes := map[string]float64{}
	if err != nil {
		return sizes
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if number, ok := strings.CutSuffix(strings.TrimSpace(value), " kB"); ok {
			if n, err := strconv.ParseFloat(number, 64); err == nil {
				sizes[name] = n * 1024
			}
		}
	}
	return sizes
}

// ownCPU is the CPU time of this process in seconds.
func ownCPU() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// dropCaches empties the page cache of the machine; only root may.
func dropCaches(progress io.Writer) bool {
	syscall.Sync()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("1"), 0); err != nil {
		fmt.Fprintln(progress, "  *** WARM page cache, recovery looks better than it is:", err)
		return false
	}
	return true
}

// warnTmpfs says so when dir is memory, where a sync costs nothing.
func warnTmpfs(progress io.Writer, dir string) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && fs.Type == tmpfsMagic {
		fmt.Fprintf(progress, "*** %s IS MEMORY, NOT A DISK: give -dir, or the figures mean nothing ***\n", dir)
	}
}

// loadAverage is the machine's over the last minute, 0 when unknown.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	average, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return average
}

// warnBusy says so when others use the machine: sharing cores and caches also
// raises the CPU time that the same work takes.
func warnBusy(progress io.Writer, average float64) {
	if average > .5 {
		fmt.Fprintf(progress, "*** THE MACHINE IS BUSY (load average %.1f): all figures will look worse than they are ***\n", average)
	}
}
