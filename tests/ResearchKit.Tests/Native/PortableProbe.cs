using System.Globalization;
using System.Security.Cryptography;
using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

/// <summary>
/// Trains small models and applies single operations; prints a checksum of what came out of each, for processes to be compared.
/// </summary>
internal static unsafe class PortableProbe
{
    /// <summary>
    /// Names of environment variables: the oneDNN record to begin with, as "L1,L2,L3" in KiB, and how far from an aligned
    /// address tensors begin, in numbers.
    /// </summary>
    public const string CachesVariable = "PROBE_CACHES", OffsetVariable = "PROBE_OFFSET";

    private static int offset;

    public static bool Run()
    {
        if (Environment.GetEnvironmentVariable(CachesVariable) is { } caches)
        {
            var sizes = caches.Split(',').Select(size => int.Parse(size, CultureInfo.InvariantCulture) << 10).ToList();
            if (!OneDnnCacheRecord.Write(new CacheSizes(sizes[0], sizes[1], sizes[2]))) return false;
            PortableMode.Fix();
        }
        Compute.Threads = PortableMode.DefaultThreads;   // tests take one, unless OMP_NUM_THREADS says more
        offset = int.Parse(Environment.GetEnvironmentVariable(OffsetVariable) ?? "0", CultureInfo.InvariantCulture);
        var computed = true;
        var thread = new Thread(() => computed = All(), 16 << 20);   // a thread that nobody gave a number of threads
        thread.Start();
        thread.Join();
        return computed;
    }

    private static bool All()
    {
        Show("products", () =>
            [Random(64, 64).mm(Random(64, 64)), Random(33, 1025).mv(Random(1025)), Random(1, 384).mm(Random(384, 65)),
            Random(8, 33, 17).bmm(Random(8, 17, 65))]);
        Show("attention", () =>
            [nn.functional.scaled_dot_product_attention(Random(2, 4, 70, 24), Random(2, 4, 70, 24), Random(2, 4, 70, 24),
            is_casual: true)]);
        Show("functions", () =>
            [Random(1007).exp(), Random(1007).erf(), Random(1007).tan(), Random(1007).acos(), nn.functional.gelu(Random(1007)),
            nn.functional.softmax(Random(64, 65), 1)]);
        Show("sums", () => [Random(100_000).sum(), Random(1000, 100).mean([1]), Random(10_000).std(), fft.rfft(Random(8, 400))]);
        Show("transposed convolution",
            () => [nn.functional.conv_transpose2d(Random(2, 32, 14, 14), Random(32, 16, 4, 4), null, strides: [2L, 2L],
            padding: [1L, 1L])]);
        Show("odd convolution", () => [nn.functional.conv2d(Random(4, 5, 28, 28), Random(7, 5, 5, 5), padding: [2L, 2L])]);
        Show("indexed gradient", () =>
        {
            using var table = Random(100, 64).requires_grad_();
            table[randint(100, [64, 50])].pow(2).sum().backward();
            return [table.grad!];
        });
        Show("bfloat16", () => [Random(64, 128).to(bfloat16).mm(Random(128, 64).to(bfloat16)).to(float32)]);
        Show("gpt", () => Trained(new Gpt(GptConfig.Nano with { Dropout = 0.1 }), () =>
            (randint(65, [4, 32]), randint(65, [4, 32]))));
        Show("resnet", () => Trained(new ResNet(new ResNetConfig
        {
            Blocks = [1, 1, 1, 1],
            Stem = Stem.Small,
            Classes = 10,
            Width = 16
        }), () => (Random(2, 3, 32, 32), randint(10, [2]))));
        Show("lstm", () => Trained(new RecurrentLanguageModel(RecurrentLanguageModelConfig.CharacterLstm with
        {
            HiddenWidth =
            64
        }), () => (randint(65, [4, 16]), randint(65, [4, 16]))));
        return true;
    }

    /// <summary>Losses and weights of two steps.</summary>
    private static Tensor[] Trained(nn.Module<Tensor, Tensor> model, Func<(Tensor X, Tensor Y)> batch)
    {
        using var optimizer = optim.AdamW(model.parameters(), 1e-3);
        var losses = new List<Tensor>();
        model.train();
        for (var step = 0; step < 2; step++)
        {
            var (x, y) = batch();
            var logits = model.call(x);
            var loss = nn.functional.cross_entropy(logits.view(-1, logits.shape[^1]), y.view(-1));
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            losses.Add(loss.detach());
        }
        return [.. losses, .. model.parameters()];
    }

    private static Tensor Random(params long[] shape)
    {
        var numbers = randn(shape);
        var memory = zeros(numbers.numel() + offset);
        return memory.slice(0, offset, memory.numel(), 1).view(shape).copy_(numbers);
    }

    private static void Show(string name, Func<Tensor[]> operation)
    {
        using var scope = NewDisposeScope();
        Compute.Seed(7);
        using var checksum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var result in operation())
        {
            using var whole = result.detach().contiguous();
            checksum.AppendData(new ReadOnlySpan<byte>((void*)NativeTensors.Data(whole),
                (int)(whole.numel() * whole.element_size())));
        }
        Console.WriteLine($"{name}: {Convert.ToHexStringLower(checksum.GetHashAndReset())}");
    }
}
