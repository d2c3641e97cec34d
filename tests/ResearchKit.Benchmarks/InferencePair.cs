using System.Globalization;
using ResearchKit.Benchmarks.Onnx;
using ResearchKit.Benchmarks.Tables;
using ResearchKit.Models;
using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Benchmarks;

/// <summary>A packed model, and ONNX Runtime on the same weights and the same input in a process of its own.</summary>
/// <remarks>
/// In one process the two libraries' threads disturb each other: those of the one that just finished wait actively for more
/// work, on the cores that the other needs. The child process makes the model anew from the same seed, and compares the results
/// before it is ready.
/// </remarks>
internal sealed class InferencePair : IDisposable
{
    /// <summary>The argument that makes this program hold ONNX Runtime ready (<see cref="ChildTimer"/>).</summary>
    public const string Command = "onnx-runtime";

    /// <summary>Passes of a round, which lasts some tenths of a second at least.</summary>
    private static int Calls(int batch) => batch == 1 ? 10 : 3;

    private static readonly Dictionary<string, Func<int, Case>> Cases = new()
    {
        ["ResNet-18"] = images =>
            Case.Of(new ResNet(ResNetConfig.ResNet18), Images(images, 224), model => new OnnxResNet(model).Write),
        ["ResNet-50"] = images =>
            Case.Of(new ResNet(ResNetConfig.ResNet50), Images(images, 224), model => new OnnxResNet(model).Write),
        ["Inception v3"] = images =>
            Case.Of(new InceptionV3(InceptionV3Config.InceptionV3WithoutHead with { TransformInput = false }),
            Images(images, 299), model => new OnnxInceptionV3(model).Write),
        ["VGG-16"] = images => Case.Of(new Vgg(VggConfig.Vgg16), Images(images, 224), model => new OnnxVgg(model).Write),
        ["BERT-base"] = texts =>
            Case.Of(new Bert(BertConfig.BaseUncased, withPooler: false),
            randint(0, BertConfig.BaseUncased.VocabularySize, [texts, 128], int64), model => new OnnxBert(model).Write),
        ["BERT-base, int8"] = texts =>
            Case.Of(new Bert(BertConfig.BaseUncased, withPooler: false),
            randint(0, BertConfig.BaseUncased.VocabularySize, [texts, 128], int64),
            model => new OnnxBert(model, isInt8: true).Write, tolerance: 0.2),
    };

    private readonly nn.Module<Tensor, Tensor> packed;
    private readonly Tensor input;
    private readonly ChildTimer onnx;
    private readonly Func<double> round;

    /// <param name="model">Its name in <see cref="Cases"/>.</param>
    /// <param name="batch">Images of 224 × 224 (Inception: 299 × 299), or texts of 128 tokens.</param>
    public InferencePair(string model, int batch)
    {
        onnx = ChildTimer.OfThisProgram("ONNX Runtime could not be started, or its results differ: see above.", Command, model,
            batch.ToString(CultureInfo.InvariantCulture));
        using var made = Make(model, batch);
        packed = made.Model.PackForInference();
        input = made.Input.alias();
        round = Pair.Time(() => Infer(packed, input).Dispose(), Calls(batch));
        Console.WriteLine($"// {packed.Packing}");
    }

    /// <summary>Milliseconds of a pass of the packed model.</summary>
    public double Packed() => round();

    /// <summary>Milliseconds of a pass of ONNX Runtime.</summary>
    public double OnnxRuntime() => onnx.Round();

    /// <summary>Holds ONNX Runtime ready, for <c>onnx-runtime MODEL BATCH</c>.</summary>
    public static void Serve(string model, int batch)
    {
        using var made = Make(model, batch);
        using var onnx = new OnnxModel(made.Write(made.Input), made.Input);
        using (var expected = Infer(made.Model, made.Input)) onnx.MustEqual(expected, made.Tolerance);
        ChildTimer.Serve(Pair.Time(() => onnx.Run(), Calls(batch)));
    }

    public void Dispose()
    {
        packed.Dispose();
        input.Dispose();
        onnx.Dispose();
    }

    private static Case Make(string model, int batch)
    {
        Compute.Seed(1);
        return Cases[model](batch);
    }

    private static Tensor Infer(nn.Module<Tensor, Tensor> model, Tensor input)
    {
        using var noGrad = no_grad();
        return model.call(input);
    }

    private static Tensor Images(int count, int size) => randn(count, 3, size, size);

    /// <summary>A model, its input, and how it becomes an ONNX file.</summary>
    private sealed record Case(nn.Module<Tensor, Tensor> Model, Tensor Input, Func<Tensor, byte[]> Write, double Tolerance)
        : IDisposable
    {
        public static Case Of<TModel>(TModel model, Tensor input, Func<TModel, Func<Tensor, byte[]>> write,
            double tolerance = 1e-3) where TModel
            : nn.Module<Tensor, Tensor>
        {
            model.eval();
            return new(model, input, write(model), tolerance);
        }

        public void Dispose()
        {
            Model.Dispose();
            Input.Dispose();
        }
    }
}
