package main

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// releaseProgram gives the pages of the program's own file back to the system. Half of them are needed
// only to start and to take what is published: parsers, the compiler of expressions, migrations.
// The kernel would leave them resident as long as nobody else wants the memory. What is needed
// again is mapped again from the page cache.
func releaseProgram() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, m := range cleanMappings(f, exe) {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, syscall.MADV_DONTNEED) // refused: the pages stay
	}
}

type mapping struct{ from, to uintptr }

// cleanMappings are where a program's file is mapped, read-only, and every page is as in the file:
// a page that was written (a loader relocates some) could not be read again. smaps is as of
// proc_pid_smaps(5).
func cleanMappings(smaps io.Reader, exe string) (list []mapping) {
	var here *mapping
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 6 && strings.Contains(fields[0], "-"): // 00400000-01544000 r-xp 00000000 fe:00 9978141 /path
			here = nil
			from, to, _ := strings.Cut(fields[0], "-")
			a, err1 := strconv.ParseUint(from, 16, 64)
			b, err2 := strconv.ParseUint(to, 16, 64)
			if err1 == nil && err2 == nil && fields[5] == exe && !strings.Contains(fields[1], "w") {
				here = &mapping{uintptr(a), uintptr(b)}
			}
		case here != nil && len(fields) == 3 && fields[0] == "Anonymous:":
			if fields[1] == "0" {
				list = append(list, *here)
			}
			here = nil
		}
	}
	return list
}
