package record

import (
	"strings"
	"testing"
)

func TestReadCertificate(t *testing.T) {
	good := `{"target":"nv_small","program":"ab","recorded_sha256":"cd","pictures":3,"equal":3,"elements":30,"mismatches":0,"upper95":0.63,"conclusion":"0 mismatches"}`
	c, err := ReadCertificate("c.json", []byte(good))
	if err != nil || c.File != "c.json" || c.Equal != 3 || c.Upper95 != 0.63 {
		t.Errorf("read %+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"":                     "not a certificate",
		`{}`:                   "not a certificate",
		`{"target":"nv_full"}`: "make one with",
		strings.Replace(good, `"equal":3`, `"equal":2`, 1): "the file was changed",
	} {
		if _, err := ReadCertificate("c.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "c.json: ") {
			t.Errorf("%q: error %v, want c.json and %q", text, err, want)
		}
	}
}

func FuzzReadCertificate(f *testing.F) {
	f.Add([]byte(`{"target":"nv_small","program":"ab","pictures":3,"equal":3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := ReadCertificate("c.json", data); err == nil && c.Equal+c.Mismatches != c.Pictures {
			t.Errorf("accepted %+v", c)
		}
	})
}
