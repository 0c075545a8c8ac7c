//! What mawk does with the same programs.

use crate::testing::machine;

/// Arguments, standard input, exit status and output of the real program.
type Case = (&'static [&'static str], &'static str, u8, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&["$2>9"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n  b 10 2.5\n"),
    (&["BEGIN{FS=\",\"}{print NF;for(i=1;i<=NF;i++)print i,$i}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1\n1 one two 3\n1\n1 foo=bar 12\n0\n1\n1 root:x:0\n1\n1   b 10 2.5\n1\n1 a 9\n1\n1 b -3e1\n"),
    (&["BEGIN{FS=\":\"}{print $1,$NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3 one two 3\nfoo=bar 12 foo=bar 12\n \nroot 0\n  b 10 2.5   b 10 2.5\na 9 a 9\nb -3e1 b -3e1\n"),
    (&["{printf \"%-10s|%5s|\\n\",$1,$2}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one       |  two|\nfoo=bar   |   12|\n          |     |\nroot:x:0  |     |\nb         |   10|\na         |    9|\nb         | -3e1|\n"),
    (&["{NF=2;print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two\nfoo=bar 12\n \nroot:x:0 \nb 10\na 9\nb -3e1\n"),
    (&["$1"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["BEGIN { print (1,2) in a }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0\n"),
    (&["{n=split($0,a,/ /);print n,a[2]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 two\n2 12\n0 \n1 \n5 \n2 9\n2 -3e1\n"),
    (&["{print length,length($0),length($1)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "9 9 3\n10 10 7\n0 0 0\n8 8 8\n10 10 1\n3 3 1\n6 6 1\n"),
    (&["BEGIN{s=\"aXbXc\";n=split(s,a,\"X\");print n,a[1]a[2]a[3];n=split(\"\",a);print n,length(a)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 abc\n0 0\n"),
    (&["{gsub(/$/,\"!\");print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3!\nfoo=bar 12!\n!\nroot:x:0!\n  b 10 2.5!\na 9!\nb -3e1!\n"),
    (&["BEGIN { $0 = \"x y\"; $2 = \"\"; print NF; print $0 \"|\" }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "2\nx |\n"),
    (&["/o/"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\nroot:x:0\n"),
    (&["BEGIN{print length(),NF,NR,FNR,FILENAME}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 0 0 0 \n"),
    (&["BEGIN { print (1)(2) }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "12\n"),
    (&["{$2=\"\";print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one  3\nfoo=bar \n \nroot:x:0 \nb  2.5\na \nb \n"),
    (&["{i=0;while(i<3){i++;if(i==2)continue;printf i}print \"\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "13\n13\n13\n13\n13\n13\n13\n"),
    (&["BEGIN{$0=\"a b c\";print NF,$2;$5=\"e\";print;print NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 b\na b c  e\n5\n"),
    (&["/foo/{getline;print \"next:\",$0}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "next: \n"),
    (&["0"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, ""),
    (&["BEGIN{print substr(\"hello\",2,3) substr(\"hello\",-1,3) \"|\" substr(\"hello\",0) \"|\" substr(\"hello\",1.5,1.5)\"|\"substr(\"hello\",2,0)\"|\"substr(\"\",1,1)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "ellhell|hello|h||\n"),
    (&["{printf \"%i|%+d|% d|%-5d|\\n\",NR,NR,NR,NR}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1|+1| 1|1    |\n2|+2| 2|2    |\n3|+3| 3|3    |\n4|+4| 4|4    |\n5|+5| 5|5    |\n6|+6| 6|6    |\n7|+7| 7|7    |\n"),
    (&["BEGIN{printf \"%x %u %o\\n\",-1,-1,-1}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "ffffffffffffffff 18446744073709551615 1777777777777777777777\n"),
    (&["{for(;;){if(++j>3)break};print j}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "4\n5\n6\n7\n8\n9\n10\n"),
    (&["BEGIN{a=\"x\";b=a++;print a,b}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0\n"),
    (&["{print index($0,\"o\")}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1\n2\n0\n2\n0\n0\n0\n"),
    (&["{ nextfile } END { print NR }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1\n"),
    (&["NR>1&&NR<4"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12\n\n"),
    (&["{printf(\"%d %s\\n\",$2,$1)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 one\n12 foo=bar\n0 \n0 root:x:0\n10 b\n9 a\n-30 b\n"),
    (&["function rev(s,  r,i){for(i=length(s);i>0;i--)r=r substr(s,i,1);return r}{print rev($0)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 owt eno\n21 rab=oof\n\n0:x:toor\n5.2 01 b  \n9 a\n1e3- b\n"),
    (&["{a[$1]=$2}END{for(k in a)print k,a[k]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, " \nfoo=bar 12\nroot:x:0 \nb -3e1\na 9\none two\n"),
    (&["{print > \"/dev/stdout\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["BEGIN{exit}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, ""),
    (&["BEGIN{print 2147483647,2147483648,-2147483648,2^53,2^53+1,1e15,1e16,1e18,1e19}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "2147483647 2147483648 -2147483648 9007199254740992 9007199254740992 1000000000000000 10000000000000000 1000000000000000000 10000000000000000000\n"),
    (&["{$(NF+2)=\"X\";print;print NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3  X\n5\nfoo=bar 12  X\n4\n X\n2\nroot:x:0  X\n3\nb 10 2.5  X\n5\na 9  X\n4\nb -3e1  X\n4\n"),
    (&["BEGIN{printf \"%*d|%-*d|%.*f\\n\",5,42,5,42,2,3.14159}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "   42|42   |3.14\n"),
    (&["{$0=\"a b c\";print $2,NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "b 3\nb 3\nb 3\nb 3\nb 3\nb 3\nb 3\n"),
    (&["{gsub(\"/\",\"_\");print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["{gsub(/\\//,\"_\");print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["NR==2"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12\n"),
    (&["{ x = $2; print (x == 10), (x == \"10\") }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 0\n0 0\n0 0\n0 0\n1 1\n0 0\n0 0\n"),
    (&["{a[NR]=$0}END{for(k in a)print k}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3\n6\n5\n2\n1\n4\n7\n"),
    (&["{NF=5;print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3  \nfoo=bar 12   \n    \nroot:x:0    \nb 10 2.5  \na 9   \nb -3e1   \n"),
    (&["BEGIN{RS=\"\";FS=\":\"}{print NR\": \"$1\" \"NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1: one two 3\nfoo=bar 12 1\n2: root 3\n"),
    (&["NF"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["BEGIN{FS=\":\"} $3==0{print $1}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "root\n"),
    (&["BEGIN { regex = \"\\\\.\"; print \"a.b\" ~ regex, match(\"a.b\", regex) }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 2\n"),
    (&["BEGIN{print index(\"abc\",\"\"),index(\"\",\"a\"),index(\"abc\",\"bc\")}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0 2\n"),
    (&["BEGIN { print 1,2,3 > \"/dev/stdout\" }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 2 3\n"),
    (&["{$3=\"q\";$0=$0;print NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3\n3\n1\n2\n3\n3\n3\n"),
    (&["BEGIN{for(i=0;i<3;i++)for(j=0;j<2;j++)print i,j}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 0\n0 1\n1 0\n1 1\n2 0\n2 1\n"),
    (&["END{print $0,NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "b -3e1 2\n"),
    (&["BEGIN { print 1==1 }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1\n"),
    (&["{ a = $1 ; b = $2 } END { print a b }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "b-3e1\n"),
    (&["BEGIN{print \"ab\" ~ /(a|b)+$/,\"a]\" ~ /[]]/,\"a/b\" ~ /a\\/b/,\"a/b\" ~ \"a/b\",\"a/b\" ~ /[/]/}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 1 1 1 1\n"),
    (&["{m=$2>m?$2:m}END{print m}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "two\n"),
    (&["BEGIN{print x==0,x==\"\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 1\n"),
    (&["BEGIN{a[1,2]=3;if((1,2) in a)print \"in\";for(k in a){gsub(SUBSEP,\",\",k);print k}}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "in\n1,2\n"),
    (&["{$2=\"X\";print;print NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one X 3\n3\nfoo=bar X\n2\n X\n2\nroot:x:0 X\n2\nb X 2.5\n3\na X\n2\nb X\n2\n"),
    (&["NR==1{next}{print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["function g(s,  t){t=s \"!\";return t}{print g($1) t}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one!\nfoo=bar!\n!\nroot:x:0!\nb!\na!\nb!\n"),
    (&["BEGIN{x=2147483648;y=x \"\";print y;a[x]=1;for(k in a)print k}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "2147483648\n2147483648\n"),
    (&["{s=$0;gsub(/b*/,\"X\",s);print s}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "XoXnXeX XtXwXoX X3X\nXfXoXoX=XaXrX X1X2X\nX\nXrXoXoXtX:XxX:X0X\nX X X X1X0X X2X.X5X\nXaX X9X\nX X-X3XeX1X\n"),
    (&["BEGIN{x=5;print x++ + ++x,x--,--x,x}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "12 7 5 5\n"),
    (&["{print toupper($0) tolower($0)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "ONE TWO 3one two 3\nFOO=BAR 12foo=bar 12\n\nROOT:X:0root:x:0\n  B 10 2.5  b 10 2.5\nA 9a 9\nB -3E1b -3e1\n"),
    (&["BEGIN{print 1&&0,1||0,!1||1}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 1 1\n"),
    (&["{ $1 = $1 } 1"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot:x:0\nb 10 2.5\na 9\nb -3e1\n"),
    (&["BEGIN{x;print x+0,x \"\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 \n"),
    (&["BEGIN{print \"aaa\" ~ /^a{3}$/,\"a{3}\" ~ /^a{3}$/,\"ab\" ~ /^(ab){1,2}$/}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0 1\n"),
    (&["function f(a,i){a[i]=1}{f(z,NR)}END{print length(z)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "7\n"),
    (&["BEGIN{print \"\\q\\.\\$\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "\\q\\.\\$\n"),
    (&["{s+=$2}END{print s/NR}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0.142857\n"),
    (&["BEGIN{printf \"%d %d %d\\n\",2147483648,-2147483649,1e18}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "2147483648 -2147483649 1000000000000000000\n"),
    (&["BEGIN{print !0,!1,!\"\",!\"a\",!x,- -3,+\"3x\",-\"3\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0 1 0 1 3 3 -3\n"),
    (&["{gsub(/ +/,\" \");print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot:x:0\n b 10 2.5\na 9\nb -3e1\n"),
    (&["BEGIN { if (0) print \"a\"; else print \"b\" }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "b\n"),
    (&["BEGIN { print(1)(2) }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "12\n"),
    (&["$1 ~ \"^#\" || $1 == \"\" { next } { print }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["BEGIN{print 1==1.0,\"a\"==\"a\",\"10\"<\"9\",10<9,\"abc\"<\"abd\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 1 1 0 1\n"),
    (&["{n=split($0,a,\".\");print n}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1\n1\n0\n1\n2\n1\n1\n"),
    (&["{n=split($0,a,\" \");print n,a[2]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 two\n2 12\n0 \n1 \n3 10\n2 9\n2 -3e1\n"),
    (&["BEGIN{print length(\"abc\") length(\"de\")}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "32\n"),
    (&["BEGIN { print 1 in a, \"x\" }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0 x\n"),
    (&["END { print (NR ? \"some\" : \"none\") }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "some\n"),
    (&["BEGIN{a[\"x\"]=1;delete a[\"x\"];print (\"x\" in a);a[1];a[2];delete a;print length(a)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "0\n0\n"),
    (&["BEGIN { a = \"10\"; b = 9; print (a < b), (a+0 < b), (\"10\" < 9) }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0 1\n"),
    (&["BEGIN{print close(\"x\")}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "-1\n"),
    (&["{print substr($0,3)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "e two 3\no=bar 12\n\not:x:0\nb 10 2.5\n9\n-3e1\n"),
    (&["BEGIN{x=1;x+=2;x*=3;x-=1;x/=4;x%=3;x^=2;print x}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "4\n"),
    (&["BEGIN{print int(3.9),int(-3.9),int(\"4x\"),sqrt(16),exp(0),log(1),atan2(0,-1),sin(0),cos(0)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 -3 4 4 1 0 3.14159 0 1\n"),
    (&["{ print ($1 < $2), ($1 == $2) }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0\n0 0\n0 1\n0 0\n0 0\n0 0\n0 0\n"),
    (&["{n=split($0,a,\"\");print n,a[1]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "9 o\n10 f\n0 \n8 r\n10  \n3 a\n6 b\n"),
    (&["{n=gsub(/[aeiou]/,\"\");print n,$0}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 n tw 3\n3 f=br 12\n0 \n2 rt:x:0\n0   b 10 2.5\n1  9\n1 b -31\n"),
    (&["BEGIN{OFS=\"-\"}{print $1,$2}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one-two\nfoo=bar-12\n-\nroot:x:0-\nb-10\na-9\nb--3e1\n"),
    (&["BEGIN{print match(\"aabb\",/b+/),RSTART,RLENGTH,substr(\"aabb\",RSTART,RLENGTH)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 3 2 bb\n"),
    (&["BEGIN{FS=\"o+\"}{print $1\"|\"$2}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "|ne tw\nf|=bar 12\n|\nr|t:x:0\n  b 10 2.5|\na 9|\nb -3e1|\n"),
    (&["{gsub(\".\",\"_\");print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "_________\n__________\n\n________\n__________\n___\n______\n"),
    (&["{print substr($0,2,3)}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "ne \noo=\n\noot\n b \n 9\n -3\n"),
    (&["BEGIN{if(!(\"x\" in a))print \"no\";a[\"x\"];if(\"x\" in a)print \"yes\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "no\nyes\n"),
    (&["{x[$1]=x[$1] \" \" NR}END{for(k in x)print k \":\" x[k]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, ": 3\nfoo=bar: 2\nroot:x:0: 4\nb: 5 7\na: 6\none: 1\n"),
    (&["BEGIN{printf \"%5c|%-5c|\\n\",\"x\",\"y\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "    x|y    |\n"),
    (&["{ print $1, \\\n$2 }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two\nfoo=bar 12\n \nroot:x:0 \nb 10\na 9\nb -3e1\n"),
    (&["NR==FNR{a[$1];next}($1 in a)"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, ""),
    (&["BEGIN{print substr(\"hello\", 2, -1) \"|\", substr(\"hello\", 10) \"|\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "| |\n"),
    (&["BEGIN{print \"x\\ny\" ~ /x.y/,\"a\\nb\" ~ /^b/,\"tab\\t\" ~ /\\t/}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 0 1\n"),
    (&["{print $1}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one\nfoo=bar\n\nroot:x:0\nb\na\nb\n"),
    (&["BEGIN{FS=\"[:, ]\"}{print $2}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "two\n12\n\nx\n\n9\n-3e1\n"),
    (&["\"a\""], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["$1~/^[ab]$/"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "  b 10 2.5\na 9\nb -3e1\n"),
    (&["# comment\n{ print $1 # comment\n}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one\nfoo=bar\n\nroot:x:0\nb\na\nb\n"),
    (&["{n=split($0,a,\":\");for(i=1;i<=n;i++)print i,a[i]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 one two 3\n1 foo=bar 12\n1 root\n2 x\n3 0\n1   b 10 2.5\n1 a 9\n1 b -3e1\n"),
    (&["BEGIN{OFMT=\"%.2f\";print 3.14159,3.14159 \"\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3.14 3.14159\n"),
    (&["BEGIN { while (i < 3) { i++ }; print i }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3\n"),
    (&["BEGIN{$3=\"c\";print;print NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "  c\n3\n"),
    (&["BEGIN{print \"a\\tb\\\"c\\\\d\\/e\\101\\x41\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "a\tb\"c\\d\\/eAA\n"),
    (&["BEGIN{FS=\".\"}{print NF}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1\n1\n0\n1\n2\n1\n1\n"),
    (&["BEGIN { print -1 \" \" -1 }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "-1-1\n"),
    (&["{getline x;print x,$0,NR}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12 one two 3 2\nroot:x:0  4\na 9   b 10 2.5 6\na 9 b -3e1 7\n"),
    (&["function f(a){a=\"x\"}BEGIN{b=\"y\";f(b);print b}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "y\n"),
    (&["$1>$2"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["{printf \"%s %s %s\\n\",$1,$2,NR}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 1\nfoo=bar 12 2\n  3\nroot:x:0  4\nb 10 5\na 9 6\nb -3e1 7\n"),
    (&["BEGIN{FS=\"^a\"}{print NF,$2}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1 \n1 \n0 \n1 \n1 \n2  9\n1 \n"),
    (&["{for(i=NF;i>0;i--)printf \"%s \",$i;print \"\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "3 two one \n12 foo=bar \n\nroot:x:0 \n2.5 10 b \n9 a \n-3e1 b \n"),
    (&["{getline;print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12\nroot:x:0\na 9\nb -3e1\n"),
    (&["BEGIN { s = \"a b\"; sub(\"a\", \"x\", s); print s; sub(/b/, \"[&][&]\", s); print s }"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "x b\nx [b][b]\n"),
    (&["{print NR\": \"$0}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "1: one two 3\n2: foo=bar 12\n3: \n4: root:x:0\n5:   b 10 2.5\n6: a 9\n7: b -3e1\n"),
    (&["{a[$1,$2]=1}END{for(k in a){split(k,p,SUBSEP);print p[1]\"-\"p[2]}}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "root:x:0-\nfoo=bar-12\nb-10\na-9\nb--3e1\n-\none-two\n"),
    (&["{if($1==\"b\")print \"B\";else if($1==\"a\")print \"A\";else print \"?\"}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "?\n?\n?\n?\nB\nA\nB\n"),
    (&["{a[$1]++}END{for(k in a)print k,a[k]}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, " 1\nfoo=bar 1\nroot:x:0 1\nb 2\na 1\none 1\n"),
    (&["BEGIN{FS=\":\";OFS=\"-\"}{$1=$1;print}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot-x-0\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["-F:", "{print $1}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "one two 3\nfoo=bar 12\n\nroot\n  b 10 2.5\na 9\nb -3e1\n"),
    (&["-F", "[=:]", "{print $2}"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "\nbar 12\n\nx\n\n\n\n"),
    (&["-v", "n=2", "NR==n"], "one two 3\nfoo=bar 12\n\nroot:x:0\n  b 10 2.5\na 9\nb -3e1\n", 0, "foo=bar 12\n"),
    (&["-F", "|", "{print NF}"], "a|b\n", 0, "2\n"),
    (&["{a[$1]=NR}END{for(k in a)print k,a[k]}"], "k0\nk37\nk74\nk10\nk47\nk84\nk20\nk57\nk94\nk30\nk67\nk3\nk40\nk77\nk13\nk50\nk87\nk23\nk60\nk97\nk33\nk70\nk6\nk43\nk80\nk16\nk53\nk90\nk26\nk63\nk100\nk36\nk73\nk9\nk46\nk83\nk19\nk56\nk93\nk29\n", 0, "k37 2\nk84 6\nk50 16\nk57 8\nk80 25\nk6 23\nk16 26\nk36 32\nk67 11\nk26 29\nk53 27\nk90 28\nk3 12\nk56 38\nk23 18\nk29 40\nk10 4\nk46 35\nk63 30\nk94 9\nk19 37\nk20 7\nk9 34\nk100 31\nk74 3\nk43 24\nk60 19\nk93 39\nk0 1\nk77 14\nk30 10\nk87 17\nk70 22\nk13 15\nk47 5\nk33 21\nk97 20\nk73 33\nk40 13\nk83 36\n"),
    (&["{a[NR]=$0;b[$1];delete a[NR-5]}END{for(k in a)print k;for(k in b)print k}"], "0\n7\n14\n21\n5\n12\n19\n3\n10\n17\n1\n8\n15\n22\n6\n13\n20\n4\n11\n18\n2\n9\n16\n0\n7\n14\n21\n5\n12\n19\n3\n10\n17\n1\n8\n15\n22\n6\n13\n20\n", 0, "38\n36\n39\n40\n37\n3\n10\n8\n6\n15\n5\n2\n11\n1\n16\n4\n22\n12\n21\n18\n0\n17\n9\n7\n14\n13\n20\n19\n"),
];

#[test]
fn the_real_program_says_the_same() {
    for &(args, input, status, out) in CASES {
        let all = [&["awk"], args].concat();
        let ran = machine().run_with(&all, input).expect("no stop");
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (status, out),
            "{args:?} of {input:?}"
        );
    }
}

#[test]
fn files_are_read_and_written() {
    let mut m = machine();
    m.put("/tmp/a", "l1 x\nl2 y\n", 0o644);
    m.put("/tmp/b", "l2\n", 0o644);
    m.put("/tmp/p", "#!/usr/bin/awk -f\n# c\n{ print n, $2 }\n", 0o644);
    for (args, status, out) in [
        (
            &[
                "awk",
                "NR==FNR{a[$1]=$2;next}{print $1,a[$1]}",
                "/tmp/a",
                "/tmp/b",
            ][..],
            0,
            "l2 y\n",
        ),
        (&["awk", "-f", "/tmp/p", "n=5", "/tmp/a"], 0, "5 x\n5 y\n"),
        (
            &["awk", "{print FILENAME,FNR,NR}", "/tmp/a", "/tmp/b"],
            0,
            "/tmp/a 1 1\n/tmp/a 2 2\n/tmp/b 1 3\n",
        ),
        (
            &["awk", "BEGIN{while((getline l<\"/tmp/a\")>0)n++;print n,l}"],
            0,
            "2 l2 y\n",
        ),
        (&["awk", "BEGIN{print (getline x < \"/none\")}"], 0, "-1\n"),
        (
            &[
                "awk",
                "{print $1 > \"/tmp/o\"; print $2 >> \"/tmp/q\"}",
                "/tmp/a",
            ],
            0,
            "",
        ),
        (&["awk", "{print}", "/none"], 2, ""),
        (&["awk", "BEGIN{exit 3}END{print \"e\"}"], 3, "e\n"),
        (&["awk", "function f(){exit 4}BEGIN{f();print}"], 4, ""),
        (&["awk", "BEGIN{print ENVIRON[\"LC_ALL\"]}"], 0, "C.UTF-8\n"),
    ] {
        let ran = m.run(args);
        assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
    }
    assert_eq!(
        (m.text("/tmp/o"), m.text("/tmp/q")),
        ("l1\nl2\n".into(), "x\ny\n".into())
    );
}

#[test]
fn versions_differ() {
    let mut old = machine();
    old.setup.dpkg = "1.21.22".to_owned();
    let program = "BEGIN{print 2^31, \"aa\" ~ /^a{2}$/, \"0x1f\"+0}";
    assert_eq!(old.run(&["awk", program]).out, "2.14748e+09 0 31\n");
    assert_eq!(machine().run(&["awk", program]).out, "2147483648 1 0\n");
}

#[test]
fn what_is_not_known_stops() {
    let deep = format!("BEGIN{{print {}1{}}}", "(".repeat(5000), ")".repeat(5000));
    for program in [
        "BEGIN{print rand()}",
        "BEGIN{srand()}",
        "BEGIN{print systime()}",
        "{print",
        "BEGIN{f(1)}",
        "BEGIN{while(1);}",
        "function f(n){return f(n+1)}BEGIN{f(1)}",
        "BEGIN{x=\"a\";while(1)x=x x}",
        "BEGIN{printf \"%s\"}",
        "BEGIN{printf \"%999999999d\",1}",
        "BEGIN{$9999999=1}",
        "BEGIN{for(;;)a[n++]}",
        deep.as_str(),
    ] {
        let mut m = machine();
        m.setup.limits.script_steps = 300_000;
        assert!(
            m.run_with(&["awk", program], "a\n").is_err(),
            "{program:.60}"
        );
    }
    assert!(machine().run_with(&["awk", "-W", "version"], "").is_err());
}

#[test]
fn gawk_is_known_where_it_does_the_same() {
    let mut machine = machine();
    machine.put("/usr/bin/gawk", "\u{7f}ELF", 0o755);
    machine.put("/etc/alternatives/x", "", 0o644);
    for (target, link) in [
        ("/usr/bin/gawk", "/etc/alternatives/awk"),
        ("/etc/alternatives/awk", "/usr/bin/awk"),
    ] {
        let made = machine.files.symlink(target.as_bytes(), link.as_bytes());
        made.expect("a link");
    }
    let program =
        "/^LANG=/ {gsub(\"\\\"\", \"\"); sub(\"LANG=\", \"\"); lang=$0;} END {print lang}";
    let ran = machine.run_with(&["awk", program], "A=b\nLANG=\"C.UTF-8\"\n");
    assert_eq!(ran.expect("no stop").out, "C.UTF-8\n");
    let two = "{ a[$1]; a[$2] } END { for (k in a) print k }";
    for (program, input) in [
        ("{ print length($0) }", "\u{e9}\n"),
        (two, "x y\n"),
        ("{ printf \"%c\", $1 }", "65\n"),
        ("/\\<a/", "a\n"),
        ("{ print gensub(/a/, \"b\", 1) }", "a\n"),
        ("BEGIN { \"echo 1\" | getline x; print NR }", ""),
    ] {
        assert!(
            machine.run_with(&["awk", program], input).is_err(),
            "{program}"
        );
    }
    assert_eq!(
        machine
            .run_with(&["awk", two], "x x\n")
            .expect("no stop")
            .out,
        "x\n"
    );
}
