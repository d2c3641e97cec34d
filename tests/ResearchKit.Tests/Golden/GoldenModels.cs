using ResearchKit.Checkpoints;
using ResearchKit.Interpretability;
using ResearchKit.Models;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Golden;

/// <summary>What the golden cases of all transformers ask alike.</summary>
internal static class GoldenModels
{
    /// <summary>Fills a layer in evaluation mode with the case's weights.</summary>
    public static T Fill<T>(this GoldenCase golden, T layer) where T : nn.Module
    {
        StateDict.Load(layer, Path.Combine(golden.Folder, "model.safetensors"));
        layer.eval();
        return layer;
    }

    /// <summary>Checks the loss, and then every gradient of the case.</summary>
    public static void CheckLoss(this GoldenCase golden, nn.Module model, Tensor loss, string prefix = "")
    {
        golden.Check("out.loss", loss);
        loss.backward();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        var gradients = golden.Names.Where(name => name.StartsWith("grad.", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(gradients);
        foreach (var name in gradients)
        {
            var own = name["grad.".Length..];
            golden.Check(name, parameters[own.StartsWith(prefix, StringComparison.Ordinal) ? own[prefix.Length..] : own].grad!);
        }
    }

    /// <summary>Checks every numbered tensor of the case, such as <c>out.attentions.0</c>, and that they are so many.</summary>
    public static void CheckEach(this GoldenCase golden, string name, IEnumerable<Tensor> actual)
    {
        var tensors = actual.ToList();
        Assert.Equal(tensors.Count, golden.Names.Count(other => other.StartsWith($"{name}.", StringComparison.Ordinal)));
        for (var i = 0; i < tensors.Count; i++) golden.Check($"{name}.{i}", tensors[i]);
    }

    /// <summary>The recorded activations at the same place of each layer.</summary>
    public static IEnumerable<Tensor> Each(this ActivationCache cache, int layers, Func<int, string> place) =>
        Enumerable.Range(0, layers).Select(layer => cache[place(layer)]);

    /// <summary>How the case's texts were written.</summary>
    public static SamplingOptions GreedyOptions(this GoldenCase golden) => SamplingOptions.Greedy with
    {
        MaximumTokens = 12,
        KeepLogits = true,
        StopToken = golden.Has("gen.eos_token_id") ? golden["gen.eos_token_id"].item<long>() : null,
        PadToken = golden.Has("gen.pad_token_id") ? golden["gen.pad_token_id"].item<long>() : 0,
    };

    /// <summary>Checks what was written, and the logits of each token up to the one that ends its row.</summary>
    public static void CheckGeneration(this GoldenCase golden, GeneratedBatch written)
    {
        var expected = golden["gen.output_ids"];
        Assert.Equal(expected.ShapeText(), written.Tokens.ShapeText());
        Assert.Equal(expected.data<long>().ToArray(), written.Tokens.data<long>().ToArray());
        var (steps, stop) = (golden["gen.step_logits"].shape[1], golden.GreedyOptions().StopToken);
        for (var row = 0; row < expected.shape[0]; row++)
        {
            var ids = expected[row].data<long>().ToArray()[^(int)steps..];
            var end = stop is { } token && Array.IndexOf(ids, token) is >= 0 and var at ? at + 1 : (int)steps;
            Near.Check($"step logits of row {row}", golden["gen.step_logits"][row, ..end], written.StepLogits![row, ..end],
                golden.Tolerance("gen.step_logits"));
        }
    }
}
