package art

import (
	"bytes"
	"slices"
	"testing"
)

func TestEveryScenePaintsAPicture(t *testing.T) {
	scenes := slices.Clone(Scenes)
	for _, s := range Scenes {
		if s != "plate" {
			scenes = append(scenes, "hotel-"+s)
		}
	}
	for _, s := range scenes {
		img := Draw(s, "a", 90, 60)
		if img.Bounds().Dx() != 90 || img.Bounds().Dy() != 60 {
			t.Errorf("%s is %v", s, img.Bounds())
		}
		colours := map[[3]uint8]bool{}
		for i := 0; i < len(img.Pix); i += 4 {
			colours[[3]uint8(img.Pix[i:i+3])] = true
			if img.Pix[i+3] != 255 {
				t.Fatalf("%s has a hole", s)
			}
		}
		if len(colours) < 200 {
			t.Errorf("%s has only %d colours", s, len(colours))
		}
	}
}

func TestANameAlwaysHasTheSamePicture(t *testing.T) {
	for _, s := range Scenes {
		one := Draw(s, "a", 60, 40)
		if !bytes.Equal(one.Pix, Draw(s, "a", 60, 40).Pix) {
			t.Errorf("%s differs the second time", s)
		}
		if bytes.Equal(one.Pix, Draw(s, "b", 60, 40).Pix) {
			t.Errorf("%s is the same for another name", s)
		}
	}
}

func TestALargePictureIsTheSameOneEnlarged(t *testing.T) {
	small, large := Draw("tiles", "a", 640, 320), Draw("tiles", "a", 2560, 1280)
	if large.Bounds().Dx() != 2560 || large.Bounds().Dy() != 1280 {
		t.Fatalf("it is %v", large.Bounds())
	}
	different := 0
	for y := range 32 {
		for x := range 64 {
			a, b := small.RGBAAt(x*10+5, y*10+5), large.RGBAAt(x*40+20, y*40+20)
			if d := int(a.G) - int(b.G); d > 60 || d < -60 {
				different++
			}
		}
	}
	if different > 32*64/20 {
		t.Errorf("%d of %d points are another colour", different, 32*64)
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, s := range []string{"hills", "hotel-sea", "plate"} {
		b.Run(s, func(b *testing.B) {
			for b.Loop() {
				Draw(s, "a", 960, 640)
			}
		})
	}
}
