using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>The weights of one attention head, as views of the model's parameters.</summary>
/// <param name="Layer">Number of the attention module, from 0, in the order of the model.</param>
/// <param name="Head">Number of the head, from 0.</param>
/// <param name="Module">Name of the attention module, such as <c>h.0.attn</c>.</param>
/// <param name="Query">[channels, d_head]; the query of a row vector x is x · Query.</param>
/// <param name="Key">[channels, d_head]; heads that share a key share this.</param>
/// <param name="Value">[channels, d_head].</param>
/// <param name="Output">[d_head, channels].</param>
/// <remarks>Biases, norms and rotary positions are not in it.</remarks>
public sealed record HeadWeights(int Layer, int Head, string Module, Tensor Query, Tensor Key, Tensor Value, Tensor Output)
{
    private static readonly (string Query, string Key, string Value, string Output)[] Separate =
    [
        (".q_proj.weight", ".k_proj.weight", ".v_proj.weight", ".o_proj.weight"),
        (".q.weight", ".k.weight", ".v.weight", ".o.weight"),
        (".query.weight", ".key.weight", ".value.weight", ".output.dense.weight"),
    ];

    /// <summary>Reads the heads of a model.</summary>
    /// <param name="model">
    /// A model with attention whose parameters are named as in the published GPT-2, Llama, T5, BERT, ViT, or
    /// <c>torch.nn.MultiheadAttention</c>.
    /// </param>
    /// <param name="heads">Heads of a layer; null if the model's configuration says it.</param>
    /// <returns>The heads by layer; valid as long as the model, inside the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">The number of heads is not known, or there is no attention of these names.</exception>
    public static IReadOnlyList<HeadWeights> Of(nn.Module model, int? heads = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var count = heads ?? Heads(model) ?? throw new ArgumentException(
            $"{model.GetName()} does not say how many heads a layer has; give heads.", nameof(heads));
        using var quiet = no_grad();
        var weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        var found = weights.Keys.SelectMany(name => Read(weights, name)).ToList();
        if (found.Count == 0)
            throw new ArgumentException($"{model.GetName()} has no attention weights of known names, such as "
                + "h.0.attn.c_attn.weight or "
                + "model.layers.0.self_attn.q_proj.weight.", nameof(model));
        return [.. found.SelectMany((layer, number) => Split(layer, number, count))];
    }

    /// <summary>The token embedding and the output layer, each [vocabulary, channels]; null without them.</summary>
    internal static (Tensor Embedding, Tensor Unembedding)? Vocabulary(nn.Module model)
    {
        var weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
        foreach (var name in new[] { "wte.weight", "model.embed_tokens.weight", "shared.weight" })
            if (weights.TryGetValue(name, out var embedding))
                return (embedding, weights.GetValueOrDefault("lm_head.weight", embedding));
        return null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"head {Layer}.{Head}: {Query.shape[0]} channels, {Query.shape[1]} a head";

    private static int? Heads(nn.Module model) => model switch
    {
        Gpt gpt => gpt.Config.Heads,
        Llama llama => llama.Config.Heads,
        T5 t5 => t5.Config.Heads,
        Vit vit => vit.Config.Heads,
        Bert bert => bert.Config.Heads,
        BertForMaskedLanguageModel bert => bert.Config.Heads,
        BertForSequenceClassification bert => bert.Config.Heads,
        BertForTokenClassification bert => bert.Config.Heads,
        _ => null,
    };

    /// <summary>The matrices of an attention module as [channels, heads · d_head], if this parameter is its first.</summary>
    private static IEnumerable<(string Module, Tensor Query, Tensor Key, Tensor Value, Tensor Output)> Read(
        Dictionary<string, Tensor> weights, string name)
    {
        if (ModuleOf(name, ".c_attn.weight") is { } gpt)
        {
            var parts = weights[name].chunk(3, 1);
            yield return (gpt, parts[0], parts[1], parts[2], weights[$"{gpt}.c_proj.weight"]);
        }
        if (ModuleOf(name, ".in_proj_weight") is { } torchAttention)
        {
            var parts = weights[name].chunk(3, 0);
            yield return (torchAttention, parts[0].t(), parts[1].t(), parts[2].t(),
                weights[$"{torchAttention}.out_proj.weight"].t());
        }
        foreach (var names in Separate)
        {
            if (ModuleOf(name, names.Query) is not { } module) continue;
            // in BERT and ViT the output projection is beside the attention, not in it
            var output = new[] { module, module[..Math.Max(0, module.LastIndexOf('.'))] }.Select(place => place + names.Output)
                .FirstOrDefault(weights.ContainsKey);
            if (output is null || !weights.TryGetValue(module + names.Key, out var key)) continue;
            yield return (module, weights[name].t(), key.t(), weights[module + names.Value].t(), weights[output].t());
        }
    }

    private static string? ModuleOf(string name, string ending) =>
        name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : null;

    private static IEnumerable<HeadWeights> Split(
        (string Module, Tensor Query, Tensor Key, Tensor Value, Tensor Output) layer, int number, int heads)
    {
        var inner = layer.Query.shape[1];
        if (inner % heads != 0)
            throw new ArgumentException($"{layer.Module} has {inner} query channels, which {heads} heads do not divide.",
                nameof(heads));
        var width = inner / heads;
        var shared = inner / layer.Key.shape[1];   // query heads that share a key head
        return Enumerable.Range(0, heads).Select(head => new HeadWeights(number, head, layer.Module,
            layer.Query.narrow(1, head * width, width), layer.Key.narrow(1, head / shared * width, width),
            layer.Value.narrow(1, head / shared * width, width), layer.Output.narrow(0, head * width, width)));
    }
}
