;; The inner loop of the resampler (polyphase-filter.ts): dot products of 16-bit samples with
;; coefficients of 24 bits, four outputs of one phase at a time.
;;
;; A coefficient c (scaled by 2^24) is split into c = 1024·high + low, both of 16 bits, so that
;; i32x4.dot_i16x8_s multiplies eight samples at once and all sums are exact integers: the order of
;; summation, the chunks of the input and the machine make no difference to the output.
;;
;; Built by scripts/build-wasm.mjs into polyphase-wasm.ts; a test compares the two.
(module
  (memory (import "sidetone" "memory") 1)

  ;; Adds up the four lanes of each of four vectors: (Σa, Σb, Σc, Σd).
  (func $sums (param $a v128) (param $b v128) (param $c v128) (param $d v128) (result v128)
    (local $ab v128)
    (local $cd v128)
    (local.set $ab
      (i32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $a) (local.get $b))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31
          (local.get $a) (local.get $b))))
    (local.set $cd
      (i32x4.add
        (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $c) (local.get $d))
        (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31
          (local.get $c) (local.get $d))))
    (i32x4.add
      (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $ab) (local.get $cd))
      (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31
        (local.get $ab) (local.get $cd))))

  ;; Writes $count outputs of one phase, and up to three more that mean nothing.
  ;; $row: the phase's coefficients, in groups of eight high and eight low parts, up to $rowEnd.
  ;; $hop: from the window of one output to the next; $stride: from one output to the next (bytes).
  (func (export "row")
    (param $window i32) (param $row i32) (param $rowEnd i32) (param $hop i32)
    (param $output i32) (param $stride i32) (param $count i32)
    (local $c i32)
    (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $w3 i32)
    (local $x v128) (local $high v128) (local $low v128)
    (local $h0 v128) (local $h1 v128) (local $h2 v128) (local $h3 v128)
    (local $l0 v128) (local $l1 v128) (local $l2 v128) (local $l3 v128)
    (block $done
      (loop $four
        (br_if $done (i32.le_s (local.get $count) (i32.const 0)))
        (local.set $w0 (local.get $window))
        (local.set $w1 (i32.add (local.get $w0) (local.get $hop)))
        (local.set $w2 (i32.add (local.get $w1) (local.get $hop)))
        (local.set $w3 (i32.add (local.get $w2) (local.get $hop)))
        (local.set $window (i32.add (local.get $w3) (local.get $hop)))
        (local.set $h0 (v128.const i32x4 0 0 0 0))
        (local.set $h1 (v128.const i32x4 0 0 0 0))
        (local.set $h2 (v128.const i32x4 0 0 0 0))
        (local.set $h3 (v128.const i32x4 0 0 0 0))
        (local.set $l0 (v128.const i32x4 0 0 0 0))
        (local.set $l1 (v128.const i32x4 0 0 0 0))
        (local.set $l2 (v128.const i32x4 0 0 0 0))
        (local.set $l3 (v128.const i32x4 0 0 0 0))
        (local.set $c (local.get $row))
        (loop $taps
          (local.set $high (v128.load (local.get $c)))
          (local.set $low (v128.load offset=16 (local.get $c)))
          (local.set $x (v128.load align=2 (local.get $w0)))
          (local.set $h0
            (i32x4.add (local.get $h0) (i32x4.dot_i16x8_s (local.get $x) (local.get $high))))
          (local.set $l0
            (i32x4.add (local.get $l0) (i32x4.dot_i16x8_s (local.get $x) (local.get $low))))
          (local.set $x (v128.load align=2 (local.get $w1)))
          (local.set $h1
            (i32x4.add (local.get $h1) (i32x4.dot_i16x8_s (local.get $x) (local.get $high))))
          (local.set $l1
            (i32x4.add (local.get $l1) (i32x4.dot_i16x8_s (local.get $x) (local.get $low))))
          (local.set $x (v128.load align=2 (local.get $w2)))
          (local.set $h2
            (i32x4.add (local.get $h2) (i32x4.dot_i16x8_s (local.get $x) (local.get $high))))
          (local.set $l2
            (i32x4.add (local.get $l2) (i32x4.dot_i16x8_s (local.get $x) (local.get $low))))
          (local.set $x (v128.load align=2 (local.get $w3)))
          (local.set $h3
            (i32x4.add (local.get $h3) (i32x4.dot_i16x8_s (local.get $x) (local.get $high))))
          (local.set $l3
            (i32x4.add (local.get $l3) (i32x4.dot_i16x8_s (local.get $x) (local.get $low))))
          (local.set $w0 (i32.add (local.get $w0) (i32.const 16)))
          (local.set $w1 (i32.add (local.get $w1) (i32.const 16)))
          (local.set $w2 (i32.add (local.get $w2) (i32.const 16)))
          (local.set $w3 (i32.add (local.get $w3) (i32.const 16)))
          (local.set $c (i32.add (local.get $c) (i32.const 32)))
          (br_if $taps (i32.lt_u (local.get $c) (local.get $rowEnd))))
        ;; (1024·high + low + 2^23) >> 24, which rounds halves up as Math.round does.
        (local.set $x
          (i32x4.shr_s
            (i32x4.add
              (i32x4.add
                (call $sums
                  (local.get $h0) (local.get $h1) (local.get $h2) (local.get $h3))
                (i32x4.shr_s
                  (call $sums
                    (local.get $l0) (local.get $l1) (local.get $l2) (local.get $l3))
                  (i32.const 10)))
              (v128.const i32x4 8192 8192 8192 8192))
            (i32.const 14)))
        ;; Saturates: a sample that is too loud must clip, not wrap to the other sign.
        (local.set $x (i16x8.narrow_i32x4_s (local.get $x) (local.get $x)))
        (v128.store16_lane 0 (local.get $output) (local.get $x))
        (local.set $output (i32.add (local.get $output) (local.get $stride)))
        (v128.store16_lane 1 (local.get $output) (local.get $x))
        (local.set $output (i32.add (local.get $output) (local.get $stride)))
        (v128.store16_lane 2 (local.get $output) (local.get $x))
        (local.set $output (i32.add (local.get $output) (local.get $stride)))
        (v128.store16_lane 3 (local.get $output) (local.get $x))
        (local.set $output (i32.add (local.get $output) (local.get $stride)))
        (local.set $count (i32.sub (local.get $count) (i32.const 4)))
        (br $four)))))
