package main

import (
	"fmt"
	"strings"
)

// context is how many lines a difference shows around what changed.
const diffContext = 3

// unified writes the difference of two texts as diff -u does, without the two lines of names; ""
// when they are the same.
func unified(before, after string) string {
	steps := diff(lines(before), lines(after))
	var b strings.Builder
	for from := 0; from < len(steps); {
		for from < len(steps) && steps[from].mark == ' ' {
			from++
		}
		if from == len(steps) {
			break
		}
		until, last := from, from // last: the last changed line of this piece
		for until = from; until < len(steps) && until-last <= 2*diffContext; until++ {
			if steps[until].mark != ' ' {
				last = until
			}
		}
		hunk(&b, steps, max(0, from-diffContext), min(len(steps), last+1+diffContext))
		from = last + 1
	}
	return b.String()
}

func hunk(b *strings.Builder, steps []step, from, until int) {
	x, y := 1, 1
	for _, s := range steps[:from] {
		if s.mark != '+' {
			x++
		}
		if s.mark != '-' {
			y++
		}
	}
	nx, ny := 0, 0
	for _, s := range steps[from:until] {
		if s.mark != '+' {
			nx++
		}
		if s.mark != '-' {
			ny++
		}
	}
	if nx == 0 {
		x--
	}
	if ny == 0 {
		y--
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", x, nx, y, ny)
	for _, s := range steps[from:until] {
		b.WriteByte(s.mark)
		b.WriteString(s.line + "\n")
	}
}

// step is one line of a difference: ' ' in both, '-' only before, '+' only after.
type step struct {
	mark byte
	line string
}

// diff finds the longest common lines of two texts. Documents are small: the table is fine.
func diff(a, b []string) []step {
	common := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var steps []step
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			steps = append(steps, step{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			steps = append(steps, step{'-', a[i]})
			i++
		default:
			steps = append(steps, step{'+', b[j]})
			j++
		}
	}
	return steps
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
