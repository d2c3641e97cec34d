using ResearchKit.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace ResearchKit.Interpretability;

/// <summary>A branch of a layer, which reads the residual stream and adds to it: attention or an MLP.</summary>
/// <param name="Label">What it is, such as "layer 2 attention".</param>
/// <param name="Module">Name of the module with its inner hook points, such as <c>h.2.attn</c>.</param>
/// <param name="Input">Hook point of the stream that it reads, before the norm.</param>
/// <param name="Output">Hook point of what it adds.</param>
/// <param name="Norm">
/// Name of its norm: before the branch, in a post-norm model after the sum; null in a model without norms.
/// </param>
/// <param name="Weight">Output weight, [inner channels, channels].</param>
/// <param name="Bias">Output bias, [channels]; null for none.</param>
/// <param name="IsAttention">Whether it is attention, whose inner channels are those of all heads.</param>
internal sealed record BranchParts(
    string Label, string Module, string Input, string Output, string? Norm, Tensor Weight, Tensor? Bias, bool IsAttention)
{
    /// <summary>Hook point of the inner activation: <c>hook_z</c> of the heads, or <c>hook_post</c> of the neurons.</summary>
    public string Inner => Module + (IsAttention ? ".hook_z" : ".hook_post");
}

/// <summary>A layer of a transformer.</summary>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Name">Name of its module.</param>
/// <param name="Branches">Its branches, in order.</param>
internal sealed record LayerParts(int Index, string Name, IReadOnlyList<BranchParts> Branches)
{
    public string Begin => $"{Name}.hook_resid_pre";

    public string End => $"{Name}.hook_resid_post";
}

/// <summary>
/// The places and weights of a transformer that exact analysis needs, the same for all models with hook points.
/// </summary>
internal sealed class TransformerParts
{
    private readonly Dictionary<string, Tensor> weights;

    private TransformerParts(nn.Module model)
    {
        Model = model;
        weights = model.named_parameters().ToDictionary(pair => pair.name, pair => (Tensor)pair.parameter);
    }

    public nn.Module Model { get; }

    public required int Heads { get; init; }

    /// <summary>Hook points of the embeddings that sum to the first residual stream, with their labels.</summary>
    public required IReadOnlyList<(string Label, string Place)> Embeddings { get; init; }

    public IReadOnlyList<LayerParts> Layers { get; private init; } = [];

    /// <summary>Whether norms come after the sums (BERT), the first of them after the embeddings.</summary>
    public bool IsPostNorm => EmbeddingNorm is not null;

    /// <summary>Name of the norm of the embeddings in a post-norm model.</summary>
    public string? EmbeddingNorm { get; private init; }

    /// <summary>Name of the norm before the output layer; null for none.</summary>
    public string? FinalNorm { get; private init; }

    /// <summary>Weight of the output layer, [vocabulary, channels], with all factors; null if that is not linear.</summary>
    public Tensor? Unembedding { get; private init; }

    /// <summary>Bias of the output layer, [vocabulary]; null for none.</summary>
    public Tensor? UnembeddingBias { get; private init; }

    /// <summary>Computes logits from the normalised stream, [..., channels] to [..., vocabulary].</summary>
    public Func<Tensor, Tensor>? Head { get; private init; }

    /// <summary>Computes logits from the stream before the final norm.</summary>
    /// <exception cref="ArgumentException">The model has no such head.</exception>
    public Tensor Decode(Tensor stream)
    {
        if (Head is null) throw new ArgumentException($"{Model.GetName()} has no head that decodes its residual stream.");
        return Head(FinalNorm is null ? stream : Places.Named(Model, FinalNorm).Module.call(stream));
    }

    /// <summary>Weight and bias of a norm; the bias is null for RMS norms.</summary>
    public (Tensor Weight, Tensor? Bias) NormWeights(string norm) => (weights[$"{norm}.weight"], Weight($"{norm}.bias"));

    /// <summary>A parameter, or null if there is none of this name.</summary>
    public Tensor? Weight(string name) => weights.GetValueOrDefault(name);

    /// <summary>Looks up the parts of a model.</summary>
    /// <exception cref="ArgumentException">The model is not a transformer of the kit.</exception>
    public static TransformerParts Of(nn.Module model) => model switch
    {
        Gpt gpt => OfGpt(gpt),
        Llama llama => OfLlama(llama),
        T5 t5 => OfT5(t5),
        Vit vit => OfVit(vit),
        Bert bert => OfBert(bert, bert, ""),
        BertForMaskedLanguageModel bert => OfBert(bert, bert.Bert, "bert."),
        BertForSequenceClassification bert => OfBert(bert, bert.Bert, "bert."),
        BertForTokenClassification bert => OfBert(bert, bert.Bert, "bert."),
        _ => throw new ArgumentException($"{model.GetName()} has no hook points that say what its parts are; expected Gpt, "
            + "Llama, T5, Vit or Bert. Recording and editing work on any model.", nameof(model)),
    };

    private static TransformerParts OfGpt(Gpt gpt)
    {
        if (gpt.Config.Variations is not { ResidualScale: 1, LogitSoftCap: null })
            throw new ArgumentException($"The model has {gpt.Config.Variations}; its residual stream is not the sum of what "
                + "its parts "
                + "write, or its logits are not linear in it.");
        var parts = new TransformerParts(gpt) { Heads = gpt.Config.Heads, Embeddings = [] };
        var norms = gpt.Config.Norms;
        var layers = Numbers(gpt.Config.Layers).Select(layer => new LayerParts(layer, $"h.{layer}",
        [
            parts.Branch(layer, "attention", $"h.{layer}.attn", $"h.{layer}.hook_attn", norms ? $"h.{layer}.ln_1" : null,
                $"h.{layer}.attn.c_proj", isTransposed: true),
            .. gpt.Config.AttentionOnly ? [] : new[]
            {
                parts.Branch(layer, "MLP", $"h.{layer}.mlp", $"h.{layer}.hook_mlp", norms ? $"h.{layer}.ln_2" : null,
                    $"h.{layer}.mlp.c_proj", isTransposed: true),
            },
        ]));
        return new(gpt)
        {
            Heads = gpt.Config.Heads,
            Embeddings = [("token embedding", "hook_embed"), ("position embedding", "hook_pos_embed")],
            Layers = [.. layers],
            FinalNorm = norms ? "ln_f" : null,
            Unembedding = parts.Weight("lm_head.weight") ?? parts.Weight("wte.weight"),
            Head = gpt.Head,
        };
    }

    private static TransformerParts OfLlama(Llama llama)
    {
        var parts = new TransformerParts(llama) { Heads = llama.Config.Heads, Embeddings = [] };
        var layers = Numbers(llama.Config.Layers).Select(layer => ($"model.layers.{layer}", layer)).Select(pair =>
            new LayerParts(pair.layer, pair.Item1,
            [
                parts.Branch(pair.layer, "attention", $"{pair.Item1}.self_attn", $"{pair.Item1}.hook_attn",
                    $"{pair.Item1}.input_layernorm", $"{pair.Item1}.self_attn.o_proj"),
                parts.Branch(pair.layer, "MLP", $"{pair.Item1}.mlp", $"{pair.Item1}.hook_mlp",
                    $"{pair.Item1}.post_attention_layernorm", $"{pair.Item1}.mlp.down_proj"),
            ]));
        return new(llama)
        {
            Heads = llama.Config.Heads,
            Embeddings = [("token embedding", "model.hook_embed")],
            Layers = [.. layers],
            FinalNorm = "model.norm",
            Unembedding = parts.Weight("lm_head.weight") ?? parts.Weight("model.embed_tokens.weight"),
            Head = llama.Head,
        };
    }

    private static TransformerParts OfT5(T5 t5)
    {
        var parts = new TransformerParts(t5) { Heads = t5.Config.Heads, Embeddings = [] };
        var layers = Numbers(t5.Config.DecoderLayers ?? t5.Config.Layers).Select(layer =>
        {
            var block = $"decoder.block.{layer}.layer";
            return new LayerParts(layer, $"decoder.block.{layer}",
            [
                parts.Branch(layer, "attention", $"{block}.0.SelfAttention", $"{block}.0.hook_attn", $"{block}.0.layer_norm",
                    $"{block}.0.SelfAttention.o"),
                parts.Branch(layer, "cross-attention", $"{block}.1.EncDecAttention", $"{block}.1.hook_cross_attn",
                    $"{block}.1.layer_norm", $"{block}.1.EncDecAttention.o"),
                parts.Branch(layer, "MLP", $"{block}.2.DenseReluDense", $"{block}.2.hook_mlp", $"{block}.2.layer_norm",
                    $"{block}.2.DenseReluDense.wo"),
            ]);
        });
        return new(t5)
        {
            Heads = t5.Config.Heads,
            Embeddings = [("token embedding", "decoder.hook_embed")],
            Layers = [.. layers],
            FinalNorm = "decoder.final_layer_norm",
            Unembedding = parts.Weight("lm_head.weight")
                ?? (parts.Weight("shared.weight")!.detach() * Math.Pow(t5.Config.ModelWidth, -0.5)).DetachFromDisposeScope(),
            Head = t5.Head,
        };
    }

    private static TransformerParts OfVit(Vit vit)
    {
        var parts = new TransformerParts(vit) { Heads = vit.Config.Heads, Embeddings = [] };
        var layers = Numbers(vit.Config.Layers).Select(layer =>
        {
            var name = $"vit.encoder.layer.{layer}";
            return new LayerParts(layer, name,
            [
                parts.Branch(layer, "attention", $"{name}.attention.attention", $"{name}.hook_attn", $"{name}.layernorm_before",
                    $"{name}.attention.output.dense"),
                parts.Branch(layer, "MLP", $"{name}.intermediate", $"{name}.hook_mlp", $"{name}.layernorm_after",
                    $"{name}.output.dense"),
            ]);
        });
        var classifier = vit.Config.Classes == 0 ? null : Places.Named(vit, "classifier").Module;
        return new(vit)
        {
            Heads = vit.Config.Heads,
            Embeddings =
            [
                ("patch embedding", "vit.embeddings.hook_embed"),
                ("position embedding", "vit.embeddings.hook_pos_embed"),
            ],
            Layers = [.. layers],
            FinalNorm = "vit.layernorm",
            Unembedding = parts.Weight("classifier.weight"),
            UnembeddingBias = parts.Weight("classifier.bias"),
            Head = classifier is null ? null : classifier.call,
        };
    }

    private static TransformerParts OfBert(Module<Tensor, Tensor> model, Bert bert, string prefix)
    {
        var parts = new TransformerParts(model) { Heads = bert.Config.Heads, Embeddings = [] };
        var layers = Numbers(bert.Config.Layers).Select(layer =>
        {
            var name = $"{prefix}encoder.layer.{layer}";
            return new LayerParts(layer, name,
            [
                parts.Branch(layer, "attention", $"{name}.attention.self", $"{name}.hook_attn",
                    $"{name}.attention.output.LayerNorm", $"{name}.attention.output.dense"),
                parts.Branch(layer, "MLP", $"{name}.intermediate", $"{name}.hook_mlp", $"{name}.output.LayerNorm",
                    $"{name}.output.dense"),
            ]);
        });
        return new(model)
        {
            Heads = bert.Config.Heads,
            Embeddings =
            [
                ("token embedding", $"{prefix}embeddings.hook_embed"),
                ("position embedding", $"{prefix}embeddings.hook_pos_embed"),
                ("token type embedding", $"{prefix}embeddings.hook_token_type_embed"),
            ],
            Layers = [.. layers],
            EmbeddingNorm = $"{prefix}embeddings.LayerNorm",
            Head = (model as BertForMaskedLanguageModel) is { } masked ? masked.Head : null,
        };
    }

    private BranchParts Branch(int layer, string kind, string module, string hooks, string? norm, string output,
        bool isTransposed = false)
    {
        var weight = weights[$"{output}.weight"];
        return new($"layer {layer} {kind}", module, $"{hooks}_in", $"{hooks}_out", norm, isTransposed ? weight : weight.t(),
            Weight($"{output}.bias"), kind != "MLP");
    }

    private static IEnumerable<int> Numbers(int count) => Enumerable.Range(0, count);
}
