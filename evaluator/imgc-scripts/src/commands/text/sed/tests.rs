//! What GNU sed does with the same input.

use crate::testing::machine;

/// Arguments, standard input, exit status and output of the real program.
type Case = (&'static [&'static str], &'static str, u8, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&["p"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\none two\nfoo=bar\nfoo=bar\n# note\n# note\n\n\n  in x\n  in x\nfoo=baz\nfoo=baz\nend\nend\n"),
    (&["$p"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nend\n"),
    (&["$p"], "a\nb\nc\nd", 0, "a\nb\nc\nd\nd"),
    (&["2,3d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n\n  in x\nfoo=baz\nend\n"),
    (&["2,3d"], "a\nb\nc\nd", 0, "a\nd"),
    (&["/foo/d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n# note\n\n  in x\nend\n"),
    (&["/foo/d"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["/foo/,/end/d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n"),
    (&["/foo/,/end/d"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["0,/foo/d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "# note\n\n  in x\nfoo=baz\nend\n"),
    (&["0,/foo/d"], "a\nb\nc\nd", 0, ""),
    (&["/in/,+1d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\nend\n"),
    (&["/in/,+1d"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["2,~3d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n\n  in x\nfoo=baz\nend\n"),
    (&["2,~3d"], "a\nb\nc\nd", 0, "a\nd"),
    (&["1~3d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "foo=bar\n# note\n  in x\nfoo=baz\n"),
    (&["1~3d"], "a\nb\nc\nd", 0, "b\nc\n"),
    (&["$!d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "end\n"),
    (&["$!d"], "a\nb\nc\nd", 0, "d"),
    (&["2q"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n"),
    (&["2q"], "a\nb\nc\nd", 0, "a\nb\n"),
    (&["3Q"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n"),
    (&["3Q"], "a\nb\nc\nd", 0, "a\nb\n"),
    (&["s/o/0/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "0ne two\nf0o=bar\n# n0te\n\n  in x\nf0o=baz\nend\n"),
    (&["s/o/0/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/o/0/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "0ne tw0\nf00=bar\n# n0te\n\n  in x\nf00=baz\nend\n"),
    (&["s/o/0/g"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/o/0/2"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one tw0\nfo0=bar\n# note\n\n  in x\nfo0=baz\nend\n"),
    (&["s/o/0/2"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/o/0/2g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one tw0\nfo0=bar\n# note\n\n  in x\nfo0=baz\nend\n"),
    (&["s/o/0/2g"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/O/0/gI"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "0ne tw0\nf00=bar\n# n0te\n\n  in x\nf00=baz\nend\n"),
    (&["s/O/0/gI"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/\\(f\\)\\(o*\\)/\\2\\1/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\noof=bar\n# note\n\n  in x\noof=baz\nend\n"),
    (&["s/\\(f\\)\\(o*\\)/\\2\\1/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/[aeiou]/<&>/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "<o>n<e> tw<o>\nf<o><o>=b<a>r\n# n<o>t<e>\n\n  <i>n x\nf<o><o>=b<a>z\n<e>nd\n"),
    (&["s/[aeiou]/<&>/g"], "a\nb\nc\nd", 0, "<a>\nb\nc\nd"),
    (&["s/x*/-/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "-o-n-e- -t-w-o-\n-f-o-o-=-b-a-r-\n-#- -n-o-t-e-\n-\n- - -i-n- -\n-f-o-o-=-b-a-z-\n-e-n-d-\n"),
    (&["s/x*/-/g"], "a\nb\nc\nd", 0, "-a-\n-b-\n-c-\n-d-"),
    (&["s/b*/X/2"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "oXne two\nfXoo=bar\n#X note\n\n X in x\nfXoo=baz\neXnd\n"),
    (&["s/b*/X/2"], "a\nb\nc\nd", 0, "aX\nb\ncX\ndX"),
    (&["s/$/./;s/^/> /"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "> one two.\n> foo=bar.\n> # note.\n> .\n>   in x.\n> foo=baz.\n> end.\n"),
    (&["s/$/./;s/^/> /"], "a\nb\nc\nd", 0, "> a.\n> b.\n> c.\n> d."),
    (&["$!N;s/\\n/,/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two,foo=bar\n# note,\n  in x,foo=baz\nend\n"),
    (&["$!N;s/\\n/,/"], "a\nb\nc\nd", 0, "a,b\nc,d"),
    (&[":a;N;$!ba;s/\\n/,/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two,foo=bar,# note,,  in x,foo=baz,end\n"),
    (&[":a;N;$!ba;s/\\n/,/g"], "a\nb\nc\nd", 0, "a,b,c,d"),
    (&[":a;s/^\\(.*\\)o/\\1_/;ta"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "_ne tw_\nf__=bar\n# n_te\n\n  in x\nf__=baz\nend\n"),
    (&[":a;s/^\\(.*\\)o/\\1_/;ta"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["/o/bend;s/$/!/;:end"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n!\n  in x!\nfoo=baz\nend!\n"),
    (&["/o/bend;s/$/!/;:end"], "a\nb\nc\nd", 0, "a!\nb!\nc!\nd!"),
    (&["H;$!d;x;s/\\n/|/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "|one two|foo=bar|# note||  in x|foo=baz|end\n"),
    (&["H;$!d;x;s/\\n/|/g"], "a\nb\nc\nd", 0, "|a|b|c|d"),
    (&["1!G;h;$!d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "end\nfoo=baz\n  in x\n\n# note\nfoo=bar\none two\n"),
    (&["1!G;h;$!d"], "a\nb\nc\nd", 0, "d\nc\nb\na\n"),
    (&["n;d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n# note\n  in x\nend\n"),
    (&["n;d"], "a\nb\nc\nd", 0, "a\nc\n"),
    (&["$!N;P;D"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["$!N;P;D"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["="], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "1\none two\n2\nfoo=bar\n3\n# note\n4\n\n5\n  in x\n6\nfoo=baz\n7\nend\n"),
    (&["="], "a\nb\nc\nd", 0, "1\na\n2\nb\n3\nc\n4\nd"),
    (&["$="], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\n7\nend\n"),
    (&["$="], "a\nb\nc\nd", 0, "a\nb\nc\n4\nd"),
    (&["l"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two$\none two\nfoo=bar$\nfoo=bar\n# note$\n# note\n$\n\n  in x$\n  in x\nfoo=baz$\nfoo=baz\nend$\nend\n"),
    (&["l"], "a\nb\nc\nd", 0, "a$\na\nb$\nb\nc$\nc\nd$\nd"),
    (&["a\\\ntext"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\ntext\nfoo=bar\ntext\n# note\ntext\n\ntext\n  in x\ntext\nfoo=baz\ntext\nend\ntext\n"),
    (&["a\\\ntext"], "a\nb\nc\nd", 0, "a\ntext\nb\ntext\nc\ntext\nd\ntext\n"),
    (&["a text"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\ntext\nfoo=bar\ntext\n# note\ntext\n\ntext\n  in x\ntext\nfoo=baz\ntext\nend\ntext\n"),
    (&["a text"], "a\nb\nc\nd", 0, "a\ntext\nb\ntext\nc\ntext\nd\ntext\n"),
    (&["a\\  two"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n  two\nfoo=bar\n  two\n# note\n  two\n\n  two\n  in x\n  two\nfoo=baz\n  two\nend\n  two\n"),
    (&["a\\  two"], "a\nb\nc\nd", 0, "a\n  two\nb\n  two\nc\n  two\nd\n  two\n"),
    (&["i\\\none\\\ntwo"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one\ntwo\none two\none\ntwo\nfoo=bar\none\ntwo\n# note\none\ntwo\n\none\ntwo\n  in x\none\ntwo\nfoo=baz\none\ntwo\nend\n"),
    (&["i\\\none\\\ntwo"], "a\nb\nc\nd", 0, "one\ntwo\na\none\ntwo\nb\none\ntwo\nc\none\ntwo\nd"),
    (&["2c\\\nnew"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nnew\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["2c\\\nnew"], "a\nb\nc\nd", 0, "a\nnew\nc\nd"),
    (&["2,3c new"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nnew\n\n  in x\nfoo=baz\nend\n"),
    (&["2,3c new"], "a\nb\nc\nd", 0, "a\nnew\nd"),
    (&["y/abc/xyz/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=yxr\n# note\n\n  in x\nfoo=yxz\nend\n"),
    (&["y/abc/xyz/"], "a\nb\nc\nd", 0, "x\ny\nz\nd"),
    (&["y/a\\/b/\\n-c/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=c\nr\n# note\n\n  in x\nfoo=c\nz\nend\n"),
    (&["y/a\\/b/\\n-c/"], "a\nb\nc\nd", 0, "\n\nc\nc\nd"),
    (&["s/\\<./\\u&/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "One Two\nFoo=Bar\n# Note\n\n  In X\nFoo=Baz\nEnd\n"),
    (&["s/\\<./\\u&/g"], "a\nb\nc\nd", 0, "A\nB\nC\nD"),
    (&["s/.*/\\U&/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "ONE TWO\nFOO=BAR\n# NOTE\n\n  IN X\nFOO=BAZ\nEND\n"),
    (&["s/.*/\\U&/"], "a\nb\nc\nd", 0, "A\nB\nC\nD"),
    (&["s/\\(.\\)\\(.*\\)/\\1\\U\\2\\E!/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "oNE TWO!\nfOO=BAR!\n# NOTE!\n\n  IN X!\nfOO=BAZ!\neND!\n"),
    (&["s/\\(.\\)\\(.*\\)/\\1\\U\\2\\E!/"], "a\nb\nc\nd", 0, "a!\nb!\nc!\nd!"),
    (&["s,/,_,g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["s,/,_,g"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s|a\\|b|X|"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["s|a\\|b|X|"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/foo/\\&/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\n&=bar\n# note\n\n  in x\n&=baz\nend\n"),
    (&["s/foo/\\&/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["/foo/s//X/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nX=bar\n# note\n\n  in x\nX=baz\nend\n"),
    (&["/foo/s//X/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/[[:space:]]*$//"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["s/[[:space:]]*$//"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/^[^=]*=//"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nbar\n# note\n\n  in x\nbaz\nend\n"),
    (&["s/^[^=]*=//"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/[.]/-/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["s/[.]/-/g"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/\\x61/Z/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bZr\n# note\n\n  in x\nfoo=bZz\nend\n"),
    (&["s/\\x61/Z/"], "a\nb\nc\nd", 0, "Z\nb\nc\nd"),
    (&["/foo/{n;s/^/>/}"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n># note\n\n  in x\nfoo=baz\n>end\n"),
    (&["/foo/{n;s/^/>/}"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["1{h;d};G"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "foo=bar\none two\n# note\none two\n\none two\n  in x\none two\nfoo=baz\none two\nend\none two\n"),
    (&["1{h;d};G"], "a\nb\nc\nd", 0, "b\na\nc\na\nd\na\n"),
    (&["/foo/!s/$/./"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two.\nfoo=bar\n# note.\n.\n  in x.\nfoo=baz\nend.\n"),
    (&["/foo/!s/$/./"], "a\nb\nc\nd", 0, "a.\nb.\nc.\nd."),
    (&["s/o\\{2\\}/X/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfX=bar\n# note\n\n  in x\nfX=baz\nend\n"),
    (&["s/o\\{2\\}/X/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/\\(.\\)\\1/[\\1]/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nf[o]=bar\n# note\n\n[ ]in x\nf[o]=baz\nend\n"),
    (&["s/\\(.\\)\\1/[\\1]/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["s/\\t/ /;s/a/\\t/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=b\tr\n# note\n\n  in x\nfoo=b\tz\nend\n"),
    (&["s/\\t/ /;s/a/\\t/"], "a\nb\nc\nd", 0, "\t\nb\nc\nd"),
    (&["s/a/b/w /dev/stdout"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bbr\nfoo=bbr\n# note\n\n  in x\nfoo=bbz\nfoo=bbz\nend\n"),
    (&["s/a/b/w /dev/stdout"], "a\nb\nc\nd", 0, "b\nb\nb\nc\nd"),
    (&["N;s/^b/X/M"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["N;s/^b/X/M"], "a\nb\nc\nd", 0, "a\nX\nc\nd"),
    (&["/^#/d;/^$/d"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n  in x\nfoo=baz\nend\n"),
    (&["/^#/d;/^$/d"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["$a last"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nlast\n"),
    (&["$a last"], "a\nb\nc\nd", 0, "a\nb\nc\nd\nlast\n"),
    (&["F"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "-\none two\n-\nfoo=bar\n-\n# note\n-\n\n-\n  in x\n-\nfoo=baz\n-\nend\n"),
    (&["F"], "a\nb\nc\nd", 0, "-\na\n-\nb\n-\nc\n-\nd"),
    (&["z;s/^$/e/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "e\ne\ne\ne\ne\ne\ne\n"),
    (&["z;s/^$/e/"], "a\nb\nc\nd", 0, "e\ne\ne\ne"),
    (&["s/e*/X/3"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "onX two\nfoXo=bar\n# Xnote\n\n  Xin x\nfoXo=baz\nendX\n"),
    (&["s/e*/X/3"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["y/ö/o/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n"),
    (&["y/ö/o/"], "a\nb\nc\nd", 0, "a\nb\nc\nd"),
    (&["2!{s/^/x/;p}"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "xone two\nxone two\nfoo=bar\nx# note\nx# note\nx\nx\nx  in x\nx  in x\nxfoo=baz\nxfoo=baz\nxend\nxend\n"),
    (&["2!{s/^/x/;p}"], "a\nb\nc\nd", 0, "xa\nxa\nb\nxc\nxc\nxd\nxd"),
    (&["-E", "s/(a|ab)(c|bcd)(d*)/[\\1][\\2][\\3]/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n[a][bcd][]\n"),
    (&["-E", "s/(foo|bar)+/X/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\nX=X\n# note\n\n  in x\nX=baz\nend\nabcd\n"),
    (&["-E", "s/o{2}=?/X/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\nfXbar\n# note\n\n  in x\nfXbaz\nend\nabcd\n"),
    (&["-E", "s/(f)(x)?/[\\1\\2]/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\n[f]oo=bar\n# note\n\n  in x\n[f]oo=baz\nend\nabcd\n"),
    (&["-E", "s/a|b|c/X/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\nfoo=XXr\n# note\n\n  in x\nfoo=XXz\nend\nXXXd\n"),
    (&["-E", "s|f\\|b|X|g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\nXoo=Xar\n# note\n\n  in x\nXoo=Xaz\nend\naXcd\n"),
    (&["-E", "s/(.)\\1/<\\1>/"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "one two\nf<o>=bar\n# note\n\n< >in x\nf<o>=baz\nend\nabcd\n"),
    (&["-E", "s/()/X/g"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\nabcd\n", 0, "XoXnXeX XtXwXoX\nXfXoXoX=XbXaXrX\nX#X XnXoXtXeX\nX\nX X XiXnX XxX\nXfXoXoX=XbXaXzX\nXeXnXdX\nXaXbXcXdX\n"),
    (&["-n", "/foo/p"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "foo=bar\nfoo=baz\n"),
    (&["-ne", "1p", "-e", "$p"], "one two\nfoo=bar\n# note\n\n  in x\nfoo=baz\nend\n", 0, "one two\nend\n"),
    (&["-e", "a\\", "-e", "x"], "a\nb\nc\nd", 0, "a\nx\nb\nx\nc\nx\nd\nx\n"),
    (&["-z", "s/\\n/,/g"], "a\nb\nc\nd", 0, "a,b,c,d"),
    (&["-n", "$="], "a\nb\nc\nd", 0, "4\n"),
    (&["s/\\(a/b/"], "a\nb\nc\nd", 1, ""),
    (&["s/./X/g"], "äö\n", 0, "XX\n"),
    (&["s/[0-9]*/-/g"], "aé\n", 0, "-a-é-\n"),
    (&["s/a$/X/"], "a", 0, "X"),
    (&["p"], "a", 0, "a\na"),
    (&["G"], "a", 0, "a\n\n"),
    (&["$!d;q3"], "a\nb", 3, "b\n"),
];

#[test]
fn the_real_program_says_the_same() {
    for &(args, input, status, out) in CASES {
        let all = [&["sed"], args].concat();
        let ran = machine().run_with(&all, input).expect("no stop");
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (status, out),
            "{args:?} of {input:?}"
        );
    }
}

#[test]
fn files_are_edited_in_place() {
    let mut m = machine();
    m.put("/etc/a", "one\ntwo", 0o600);
    m.files
        .chown(b"/etc/a", Some(7), Some(8), true)
        .expect("a file");
    assert_eq!(m.run(&["sed", "-i.bak", "s/o/0/", "/etc/a"]).status, 0);
    assert_eq!(
        (m.text("/etc/a"), m.text("/etc/a.bak")),
        ("0ne\ntw0".into(), "one\ntwo".into())
    );
    let stat = m.files.stat(b"/etc/a", true).expect("a file");
    assert_eq!((stat.mode, stat.uid, stat.gid), (0o600, 7, 8));
    m.files.symlink(b"a", b"/etc/l").expect("a link");
    m.run(&["sed", "-i", "--follow-symlinks", "1d", "/etc/l"]);
    assert_eq!(
        (m.text("/etc/a"), m.files.read_link(b"/etc/l").is_ok()),
        ("tw0".into(), true)
    );
    m.run(&["sed", "-i", "s/$/!/", "/etc/l"]);
    assert_eq!(
        (m.text("/etc/l"), m.files.read_link(b"/etc/l").is_ok()),
        ("tw0!".into(), false)
    );
    assert_eq!(m.run(&["sed", "-i", "p", "/etc/none"]).status, 2);
    m.put("/tmp/r", "R\n", 0o644);
    let ran = m
        .run_with(&["sed", "-e", "1r /tmp/r", "-e", "w /tmp/w"], "a\nb")
        .expect("no stop");
    assert_eq!(
        (ran.out.as_str(), m.text("/tmp/w").as_str()),
        ("a\nR\nb", "a\nb")
    );
}

#[test]
fn what_is_not_known_stops() {
    for script in [
        "e", "s/a/b/e", "bx", "{p", "k", "s/a/b", "y/a/bc/", "s/a/\\1/",
    ] {
        assert!(
            machine().run_with(&["sed", script], "a\n").is_err(),
            "{script}"
        );
    }
    assert!(machine().run_with(&["sed", "--debug", "p"], "").is_err());
    for script in [":a;ba", ":a;s/x/xx/;ta", "x;G;x;G;h;D"] {
        let mut m = machine();
        m.setup.limits.script_steps = 300_000;
        assert!(m.run_with(&["sed", script], "x\n").is_err(), "{script}");
    }
}
