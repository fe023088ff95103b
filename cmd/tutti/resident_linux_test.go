package main

import (
	"slices"
	"strings"
	"testing"
)

const someSmaps = `00400000-01544000 r-xp 00000000 fe:00 9978141                            /bin/tutti
Size:              17680 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01544000-029ba000 r--p 01144000 fe:00 9978141                            /bin/tutti
Anonymous:             0 kB
029ba000-029bc000 r--p 025ba000 fe:00 9978141                            /bin/tutti
Anonymous:             8 kB
029bc000-02ac8000 rw-p 025bc000 fe:00 9978141                            /bin/tutti
Anonymous:             0 kB
c000000000-c000400000 rw-p 00000000 00:00 0
Anonymous:             0 kB
7ffa71ce3000-7ffa71e39000 r-xp 00026000 fe:00 326269                     /lib/libc.so.6
Anonymous:             0 kB
`

// TestOnlyCleanPagesAreReleased: of the program's file, read-only, and nothing that was written.
func TestOnlyCleanPagesAreReleased(t *testing.T) {
	got := cleanMappings(strings.NewReader(someSmaps), "/bin/tutti")
	if want := (program{{0x400000, 0x1544000}, {0x1544000, 0x29ba000}}); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// TestReleasingTheProgramHarmsNobody: what runs goes on, with the same code and constants.
func TestReleasingTheProgramHarmsNobody(t *testing.T) {
	own, want := ownProgram(), didTheWork()
	if len(own) == 0 {
		t.Fatal("it finds none of its own pages")
	}
	own.release()
	if got := didTheWork(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func didTheWork() string { return strings.ToUpper(someSmaps[:40]) }
