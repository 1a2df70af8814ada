package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABundleKeepsEveryByteAndIsTheSameForTheSameFiles(t *testing.T) {
	a, b := File{"rules/a.yml", []byte("settings: {}\n\n")}, File{"b\nc", []byte{0xff, '\n', '1', ' ', '2'}}
	got, err := Unbundle(Bundle([]File{a, b}))
	require.NoError(t, err)
	require.Equal(t, []File{b, a}, got)
	require.Equal(t, Bundle([]File{a, b}), Bundle([]File{b, a}))
}

func TestTheBundleOfNoFilesIsNoFiles(t *testing.T) {
	got, err := Unbundle(Bundle(nil))
	require.NoError(t, err)
	require.Empty(t, got)
}

func FuzzUnbundle(f *testing.F) {
	f.Add(Bundle(nil))
	f.Add(Bundle([]File{{"a", []byte("x")}, {"b", nil}}))
	f.Add([]byte(bundleHead + "1 9223372036854775807\nabc"))
	f.Add([]byte(bundleHead + "9 9"))
	f.Add([]byte(bundleHead + "1 1\na\nb"))
	f.Add([]byte("anything else"))
	f.Fuzz(func(t *testing.T, b []byte) {
		files, err := Unbundle(b)
		if err != nil {
			require.ErrorIs(t, err, ErrBundle)
			return
		}
		again, err := Unbundle(Bundle(files))
		require.NoError(t, err)
		require.ElementsMatch(t, files, again)
	})
}
