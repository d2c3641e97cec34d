using System.Text.Json.Nodes;
using CsCheck;
using ResearchKit.Checkpoints;
using ResearchKit.Models;
using ResearchKit.Native;
using ResearchKit.Tensors;
using ResearchKit.Tests.Kernel;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Checkpoints;

public sealed class CompressedTensorsTests : IDisposable
{
    private const string Up = "model.layers.0.mlp.up_proj", Query = "model.layers.1.self_attn.q_proj";
    private readonly DisposeScope scope = NewDisposeScope();
    private readonly TemporaryFolder folder = new();

    private string Path => System.IO.Path.Combine(folder.Path, "model");

    public static TheoryData<string> Schemes =>
        ["int4 groups affine", "int4 groups", "int4 rows", "int8 rows", "int8 whole affine"];

    public void Dispose()
    {
        scope.Dispose();
        folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Weights_are_the_same_after_writing_and_reading(string name)
    {
        var weight = randn([10, 32], generator: new Generator(1));
        using var made = QuantizedTensor.Round(weight, Scheme(name));
        var tensors = PackedWeights.Of(made, ScalarType.Float32).ToDictionary(part => part.Ending, part => part.Tensor);
        using var read = PackedWeights.Read("layer", tensors);
        Assert.True(made.Dequantize().Equals(read.Dequantize()));
        Assert.Equal(made.Scheme.Granularity, read.Scheme.Granularity);
        Assert.Equal(made.Codes.dtype, read.Codes.dtype);
    }

    [Fact]
    public void Eight_codes_lie_in_a_word_from_its_lowest_bits_and_the_rest_is_zero()
    {
        // scale 1 and codes -8 … 7, stored as 0 … 15
        var codes = tensor(new[] { -8f, -7, -6, -5, -4, -3, -2, 7, 1 }).view(1, 9);
        using var made = QuantizedTensor.Round(codes, codes.view(1, 1, 9), new QuantizationGrid(
            new QuantizationScheme { Bits = 4 }, ones([1, 1, 1]), null));
        var tensors = PackedWeights.Of(made, ScalarType.Float32).ToDictionary(part => part.Ending, part => part.Tensor);
        Assert.Equal([unchecked((int)0xf6543210), 9], tensors["weight_packed"].data<int>().ToArray());
        Assert.Equal([1L, 9], tensors["weight_shape"].data<long>().ToArray());
        using var read = PackedWeights.Read("layer", tensors);
        Assert.True(codes.Equals(read.Dequantize()));
    }

    [Fact]
    public void Zero_points_are_packed_down_the_rows()
    {
        var weight = rand([9, 8], generator: new Generator(2)) + arange(9, float32).view(9, 1) - 4;
        using var made = QuantizedTensor.Round(weight, QuantizationScheme.FourBits(4));
        var packed = PackedWeights.Of(made, ScalarType.Float32).First(part => part.Ending == "weight_zero_point").Tensor;
        Assert.Equal([2L, 2], packed.shape);   // 9 rows in words of 8, 2 groups
        var zeros = made.ZeroPoints!.to(int64);
        Assert.Equal((zeros[0, 1] + (zeros[1, 1] * 16)).item<long>(), packed[0, 1].item<int>() & 255);
        Assert.Equal(zeros[8, 0].item<long>(), packed[1, 0].item<int>());
    }

    [Fact]
    public void A_folder_is_compressed_described_and_expanded_again()
    {
        using var model = Saved();
        var (up, query) = (model.state_dict()[$"{Up}.weight"], model.state_dict()[$"{Query}.weight"]);
        using var first = QuantizedTensor.Round(up, QuantizationScheme.FourBits(16));
        using var second = QuantizedTensor.Round(query, QuantizationScheme.EightBits);
        CompressedTensors.Compress(Path, new Dictionary<string, QuantizedTensor> { [Up] = first, [Query] = second });

        var config = JsonNode.Parse(File.ReadAllText(System.IO.Path.Combine(Path, "config.json")))!["quantization_config"]!;
        Assert.Equal("pack-quantized", (string?)config["format"]);
        Assert.Equal(16, (int?)config["config_groups"]!["group_0"]!["weights"]!["group_size"]);
        Assert.Equal("channel", (string?)config["config_groups"]!["group_1"]!["weights"]!["strategy"]);
        Assert.Equal([Query], config["config_groups"]!["group_1"]!["targets"]!.AsArray().Select(name => (string?)name));
        Assert.Contains("lm_head", config["ignore"]!.AsArray().Select(name => (string?)name));

        var read = CompressedTensors.Read(Path);
        Assert.Equal([Up, Query], read.Keys);
        Assert.True(first.Dequantize().Equals(read[Up].Dequantize()));
        foreach (var layer in read.Values) layer.Dispose();
        Assert.Contains("Expand", Assert.Throws<InvalidDataException>(() => Llama.FromPretrained(Path)).Message,
            StringComparison.Ordinal);
        var plain = System.IO.Path.Combine(folder.Path, "plain");
        CompressedTensors.Expand(Path, plain);
        using var back = Llama.FromPretrained(plain);
        using (no_grad())
        {
            up.copy_(first.Dequantize());
            query.copy_(second.Dequantize());
        }
        var tokens = randint(0, 40, [2, 7], int64);
        Assert.True(model.call(tokens).Equals(back.call(tokens)));
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_the_folder_stays()
    {
        using var model = Saved();
        var before = File.ReadAllBytes(System.IO.Path.Combine(Path, "model.safetensors"));
        var weight = model.state_dict()[$"{Up}.weight"];
        Refuses(QuantizedTensor.Round(weight, QuantizationScheme.Nf4(32)), Up, "nf4");
        Refuses(QuantizedTensor.Round(weight, new QuantizationScheme { Bits = 3 }), Up, "4 or 8 bits");
        Refuses(QuantizedTensor.Round(weight.t(), QuantizationScheme.EightBits), Up, "88");
        Refuses(QuantizedTensor.Round(weight, QuantizationScheme.EightBits), "model.layers.7", "no weight");
        Assert.Equal(before, File.ReadAllBytes(System.IO.Path.Combine(Path, "model.safetensors")));
        Assert.Contains("'none'", Assert.Throws<InvalidDataException>(() => CompressedTensors.Read(Path)).Message,
            StringComparison.Ordinal);

        void Refuses(QuantizedTensor codes, string layer, string word)
        {
            using (codes)
                Assert.Contains(word, Assert.Throws<ArgumentException>(() => CompressedTensors.Compress(Path,
                    new Dictionary<string, QuantizedTensor> { [layer] = codes })).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tensors_that_lie_about_their_shape_are_refused()
    {
        using var made = QuantizedTensor.Round(randn([6, 16], generator: new Generator(3)), QuantizationScheme.FourBits(8));
        var good = PackedWeights.Of(made, ScalarType.Float32).ToDictionary(part => part.Ending, part => part.Tensor);
        string[] names = [.. good.Keys];
        Gen.Select(Gen.Int[0, names.Length - 1], Gen.Int[0, 4], Gen.Long[-3, 40], Gen.Long[0, 40]).Sample((which, change, a, b) =>
        {
            var name = names[which];
            using var inner = NewDisposeScope();
            var bad = new Dictionary<string, Tensor>(good)
            {
                [name] = change switch
                {
                    0 => zeros([Math.Abs(a), b], good[name].dtype),
                    1 => good[name].to(ScalarType.Int64),
                    2 => tensor(new[] { a, b }),
                    3 => good[name].flatten(),
                    _ => good[name].to(ScalarType.Int32),
                },
            };
            if (change == 4 && b % 2 == 0) bad.Remove(name);
            try
            {
                using var read = PackedWeights.Read("layer 7", bad);
                Assert.Equal(read.Shape, read.Dequantize().shape);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith("layer 7 ", error.Message, StringComparison.Ordinal);
            }
        }, iter: 300, threads: 1);
    }

    private static QuantizationScheme Scheme(string name) => name switch
    {
        "int4 groups affine" => QuantizationScheme.FourBits(8),
        "int4 groups" => QuantizationScheme.FourBits(8, symmetric: true),
        "int4 rows" => new QuantizationScheme { Bits = 4 },
        "int8 rows" => QuantizationScheme.EightBits,
        _ => new QuantizationScheme { IsSymmetric = false, Granularity = ScaleGranularity.Tensor },
    };

    private Llama Saved()
    {
        Compute.Seed(1);
        var model = new Llama(LlamaConfig.Nano with { VocabularySize = 40 });
        model.eval();
        model.SavePretrained(Path);
        return model;
    }
}
