using CsCheck;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Tests.Golden;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class GgufTests : IDisposable
{
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void Values_and_tensors_are_the_same_after_writing_and_reading()
    {
        var weight = randn([3, 512], generator: new Generator(1));
        GgufWriter.Write(PathOf("a"), new Dictionary<string, object>
        {
            ["general.architecture"] = "gpt2",
            ["count"] = 7,
            ["negative"] = -7,
            ["rate"] = 0.5f,
            ["flag"] = true,
            ["large"] = 1L << 40,
            ["words"] = new[] { "a", "é" },
            ["types"] = new[] { 1, -2 },
            ["none"] = Array.Empty<string>(),
        }, [("plain", weight, GgufType.F32), ("vector", weight[0, ..5], GgufType.F32)]);
        var file = GgufFile.Open(PathOf("a"));
        Assert.Equal("gpt2", file.Architecture);
        Assert.Equal(7L, file.Values["count"]);
        Assert.Equal(-7L, file.Values["negative"]);
        Assert.Equal(0.5, file.Values["rate"]);
        Assert.Equal(true, file.Values["flag"]);
        Assert.Equal(1L << 40, file.Values["large"]);
        Assert.Equal(["a", "é"], (object[])file.Values["words"]);
        Assert.Equal([1L, -2L], (object[])file.Values["types"]);
        Assert.Equal([], (object[])file.Values["none"]);
        Assert.True(weight.Equals(file.Read("plain")));
        Assert.True(weight[0, ..5].Equals(file.Read("vector")));
        Assert.All(file.Tensors, tensor => Assert.Equal(0, tensor.Start % 32));
    }

    [Theory]
    [InlineData(GgufType.F32, 0)]
    [InlineData(GgufType.F16, 0.0005)]
    [InlineData(GgufType.BF16, 0.003)]
    [InlineData(GgufType.Q8_0, 0.006)]
    [InlineData(GgufType.Q6_K, 0.025)]
    [InlineData(GgufType.Q4_K, 0.09)]
    [InlineData(GgufType.Q4_0, 0.1)]
    public void A_type_has_the_error_of_its_bits(GgufType type, double largest)
    {
        var weight = randn([8, 1024], generator: new Generator(2));
        GgufWriter.Write(PathOf("t"), [], [("w", weight, type)]);
        var file = GgufFile.Open(PathOf("t"));
        var error = ((file.Read("w") - weight).norm() / weight.norm()).item<float>();
        Assert.InRange(error, largest / 3, largest + 1e-9);
        GgufWriter.Write(PathOf("again"), [], [("w", file.Read("w"), type)]);
        if (type is not (GgufType.Q4_K or GgufType.Q6_K))   // whose scales are codes too
            Near.Check("again", file.Read("w"), GgufFile.Open(PathOf("again")).Read("w"), 2e-3);
    }

    [Fact]
    public void A_block_of_8_bits_is_a_half_and_32_codes()
    {
        byte[] block = [0x00, 0x38, .. Enumerable.Range(0, 32).Select(i => (byte)(sbyte)(i - 16))];   // 0x3800 is 0.5
        var numbers = new float[32];
        GgufBlocks.Decode(GgufType.Q8_0, block, numbers);
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (i - 16) * 0.5f), numbers);
        var made = new byte[34];
        GgufBlocks.Encode(GgufType.Q8_0, numbers, made);
        Assert.Equal(-127, (sbyte)made[2]);   // the largest magnitude, 8, has code 127
    }

    [Fact]
    public void A_block_of_4_bits_has_the_lower_halves_first()
    {
        byte[] block = [0x00, 0x3c, .. Enumerable.Range(0, 16).Select(i => (byte)(i | ((15 - i) << 4)))];   // 0x3c00 is 1
        var numbers = new float[32];
        GgufBlocks.Decode(GgufType.Q4_0, block, numbers);
        Assert.Equal([.. Enumerable.Range(0, 16).Select(i => i - 8f), .. Enumerable.Range(0, 16).Select(i => 7f - i)], numbers);
    }

    [Fact]
    public void Super_blocks_of_4_bits_have_scales_and_minima_of_6_bits()
    {
        var block = new byte[144];
        (block[1], block[3]) = (0x3c, 0x3c);   // scale and minimum 1
        block[4] = 5 | (2 << 6);               // part 0: scale 5; upper bits of the scale of part 4
        block[8] = 3 | (1 << 6);               // part 0: minimum 3; upper bits of the minimum of part 4
        block[12] = 7 | (9 << 4);              // part 4: lower bits of both
        block[16] = 0x21;                      // first codes of parts 0 and 1
        block[16 + 64] = 0x0f;                 // first code of part 4
        var numbers = new float[256];
        GgufBlocks.Decode(GgufType.Q4_K, block, numbers);
        Assert.Equal((5 * 1) - 3, numbers[0]);
        Assert.Equal(0, numbers[32]);          // part 1 has scale 0
        Assert.Equal(((7 + 32) * 15) - (9 + 16), numbers[128]);
    }

    [Fact]
    public void Super_blocks_of_6_bits_have_their_upper_bits_apart()
    {
        var block = new byte[210];
        block[209] = 0x3c;                     // scale 1
        (block[192], block[200], block[206]) = (2, 3, unchecked((byte)-1));   // parts 0, 8 and 14
        block[0] = 0x05;                       // number 0: lower bits 5
        block[128] = 0x02;                     // number 0: upper bits 2
        block[64] = 0x07;                      // number 128: lower bits 7, upper bits 0
        block[64 + 32] = 0xa0;                 // number 224: lower bits 10
        block[128 + 32] = 0xc0;                // number 224: upper bits 3
        var numbers = new float[256];
        GgufBlocks.Decode(GgufType.Q6_K, block, numbers);
        Assert.Equal(2 * (5 + 32 - 32), numbers[0]);
        Assert.Equal(3 * (7 - 32), numbers[128]);
        Assert.Equal(-1 * (10 + 48 - 32), numbers[224]);
    }

    /// <remarks>
    /// Hashes of what quantize_row_q4_K_ref and quantize_row_q6_K_ref of llama.cpp (in LLamaSharp 0.30.0, MIT) write.
    /// </remarks>
    [Theory]
    [InlineData(GgufType.Q4_K, 144, "B4A738F76D185086C694470EAF65CE5E28A7B94E9B211420A8E5102DDEFFF558")]
    [InlineData(GgufType.Q6_K, 210, "425AF5E10CEE8D6F2AA044A77C10B6C4228AC6DB39AB8C9A7C5C6C5B9EF9A372")]
    public void Codes_of_super_blocks_are_those_of_llama_cpp(GgufType type, int bytes, string hash)
    {
        var numbers = Enumerable.Range(0, 64 * 256).Select(i => ((i * 7919 % 2003) - 1001) / 1024f)
            .Select(number => number * number * number).ToArray();
        var blocks = new byte[64 * bytes];
        GgufBlocks.Encode(type, numbers, blocks);
        Assert.Equal(hash, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(blocks)));
    }

    [Fact]
    public void Searched_scales_beat_those_of_the_largest_number()
    {
        using var generator = new Generator(3);
        var numbers = randn([64, 256], generator: generator).pow(3).data<float>().ToArray();   // with outliers
        double Error(float[] made) => Math.Sqrt(made.Zip(numbers, (one, other) => Math.Pow(one - other, 2)).Sum());
        double Of(GgufType type, int bytes)
        {
            var (blocks, made) = (new byte[64 * bytes], new float[numbers.Length]);
            GgufBlocks.Encode(type, numbers, blocks);
            GgufBlocks.Decode(type, blocks, made);
            return Error(made);
        }
        double Covering(int part, int highest, bool isSigned) => Error([.. numbers.Chunk(part).SelectMany(chunk =>
        {
            var low = isSigned ? -chunk.Max(Math.Abs) : Math.Min(0, chunk.Min());
            var step = ((isSigned ? -low : Math.Max(0, chunk.Max())) - low) / highest;
            return chunk.Select(number => (MathF.Round((number - low) / step) * step) + low);
        })]);
        Assert.True(Of(GgufType.Q4_K, 144) < Covering(32, 15, false));   // though these scales are not rounded
        Assert.True(Of(GgufType.Q6_K, 210) < Covering(16, 63, true));
    }

    [Fact]
    public void A_T5s_tokenizer_is_the_same_after_writing_and_reading()
    {
        string[] texts = ["the cat sat on the mat", "a dog ate the other cats", "mats and hats, cats and dogs"];
        UnigramTrainer.Train(texts, 40).Save(PathOf("model"));
        var tokenizer = SentencePieceTokenizer.Parse(File.ReadAllBytes(PathOf("model")), ["<extra_id_1>", "<extra_id_0>"]);
        using var model = new ResearchKit.Models.T5(ResearchKit.Models.T5Config.Nano with
        {
            VocabularySize = tokenizer.VocabularySize + 5,
            RelativeBuckets = 32,
            RelativeMaximumDistance = 128,
        });
        model.SaveGguf(PathOf("t5"), tokenizer: tokenizer);
        var file = GgufFile.Open(PathOf("t5"));
        Assert.Equal($"[PAD{tokenizer.VocabularySize + 4}]", ((object[])file.Values["tokenizer.ggml.tokens"])[^1]);
        var read = file.ReadPieces();
        Assert.Equal(tokenizer.VocabularySize, read.VocabularySize);
        Assert.Equal((tokenizer.Special.End, tokenizer.Special.Unknown, tokenizer.Special.Padding),
            (read.Special.End, read.Special.Unknown, read.Special.Padding));
        foreach (var text in texts.Append("The <extra_id_0> sat  on zebras."))
        {
            Assert.Equal(tokenizer.Encode(text), read.Encode(text));
            Assert.Equal(tokenizer.Decode(tokenizer.Encode(text)), read.Decode(read.Encode(text)));
        }
        using var small = new ResearchKit.Models.T5(ResearchKit.Models.T5Config.Nano with { VocabularySize = 8 });
        Assert.Throws<ArgumentException>(() => small.SaveGguf(PathOf("small"), tokenizer: tokenizer));
        Assert.Contains("expected gpt2", Assert.Throws<InvalidDataException>(file.ReadTokenizer).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_an_error_in_one_sentence_or_reads_something()
    {
        var path = PathOf("fuzz");
        GgufWriter.Write(path, new Dictionary<string, object> { ["a"] = 1, ["b"] = new[] { "x", "y" } },
            [("w", randn(2, 64), GgufType.Q8_0)]);
        var whole = File.ReadAllBytes(path);
        var header = (int)GgufFile.Open(path).Tensors[0].Start;
        Gen.Select(Gen.Int[0, whole.Length], Gen.Int[0, header - 1], Gen.Byte).Sample((length, place, value) =>
        {
            Tried(whole[..length]);
            var changed = (byte[])whole.Clone();
            changed[place] = value;
            Tried(changed);
        }, iter: 300, threads: 1);

        void Tried(byte[] bytes)
        {
            File.WriteAllBytes(path, bytes);
            try
            {
                var file = GgufFile.Open(path);
                foreach (var tensor in file.Tensors) file.Read(tensor.Name).Dispose();
            }
            catch (InvalidDataException error)
            {
                Assert.Contains(path, error.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void What_the_format_does_not_hold_is_refused()
    {
        Refuses([("w", randn(2, 30), GgufType.Q8_0)], "30", "32");
        Refuses([("w", ones([2], dtype: int64), GgufType.F32)], "Int64");
        Refuses([(new string('w', 65), ones(2), GgufType.F32)], "64 bytes");
        Refuses([("w", ones(2), GgufType.F32), ("w", ones(2), GgufType.F32)], "twice");
        File.WriteAllText(PathOf("text"), "this is no such file, but long enough");
        Assert.Contains("does not begin with GGUF",
            Assert.Throws<InvalidDataException>(() => GgufFile.Open(PathOf("text"))).Message, StringComparison.Ordinal);
    }

    private void Refuses((string Name, Tensor Tensor, GgufType Type)[] tensors, params string[] words)
    {
        var message = Assert.Throws<ArgumentException>(() => GgufWriter.Write(PathOf("bad"), [], tensors)).Message;
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
        Assert.False(File.Exists(PathOf("bad")));
    }

    private string PathOf(string name) => Path.Combine(folder.Path, $"{name}.gguf");
}
