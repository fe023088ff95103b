package main

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is where the pages of the program's own file are mapped that can be given back to the
// system.
type program []mapping

// ownProgram finds them, and lets them be mapped page by page: where the page cache holds the file in huge
// ones, touching one byte would make 2 MiB resident. It gives none where the system does not tell.
func ownProgram() program {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	p := cleanMappings(f, exe)
	p.advise(syscall.MADV_NOHUGEPAGE)
	return p
}

// release gives the pages back. Half of them are needed only to start and to take what is published:
// parsers, the compiler of expressions, migrations; and with each that is touched the kernel maps the 15
// beside it. It would leave them resident as long as nobody else wants the memory. What is needed again
// is mapped again from the page cache, which takes a microsecond.
func (p program) release() { p.advise(syscall.MADV_DONTNEED) }

// advise tells the system how the pages are used. Where it is refused, they stay as they are.
func (p program) advise(how uintptr) {
	for _, m := range p {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.from, m.to-m.from, how)
	}
}

// processorTime is how much the process has taken; 0 where it is not told.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type mapping struct{ from, to uintptr }

// cleanMappings are where a program's file is mapped, read-only, and every page is as in the file:
// a page that was written (a loader relocates some) could not be read again. smaps is as of
// proc_pid_smaps(5).
func cleanMappings(smaps io.Reader, exe string) (list program) {
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
