using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// Rotates the residual stream of a transformer by a random Hadamard matrix that is folded into its weights, so that outliers of
/// single channels are spread over all of them. The model computes the same; its weights and inputs are easier to round.
/// </summary>
/// <remarks>
/// Ashkboos et al., 2024, QuaRot, https://arxiv.org/abs/2404.00456, and Liu et al., 2024, SpinQuant,
/// https://arxiv.org/abs/2405.16406: the rotations that cost nothing at run time. The gains of the norms are folded into the
/// layers after them first, and in a GPT also the means that its layer norms subtract; there the rotation leaves the direction
/// of equal channels as it is, so that layer norms stay layer norms. What comes out is an ordinary model whose head has a weight
/// of its own (where the original tied them, it has one table more). Calibrate it, not the original.
/// </remarks>
public sealed record HadamardRotation
{
    /// <summary>Seed of the random signs.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether the values of each attention head are rotated too, where its width allows it.</summary>
    public bool RotatesValues { get; init; } = true;

    /// <summary>Makes the rotated twin of a GPT.</summary>
    /// <param name="model">A model in float32; it is not changed.</param>
    /// <returns>A new model with untied embeddings on the same device; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// There is no Hadamard matrix of its width, its positions are added to the embeddings and not learnt, or a gain of the last
    /// norm is zero.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model is packed or has adapters.</exception>
    public Gpt Fold(Gpt model)
    {
        var config = model.Config;
        if (config.Positions is Positions.Sinusoidal or Positions.Random)
            throw new ArgumentException($"{config.Positions} positions are added to the embeddings and cannot be rotated.",
                nameof(model));
        const string table = "wte.weight";
        return Folded(model, config.ModelWidth, table, () => new Gpt(config with { TieEmbeddings = false }), fold =>
        {
            fold.Table(table);
            if (config.Positions == Positions.Learned) fold.Table("wpe.weight");
            fold.Head("ln_f", "lm_head");
            for (var layer = 0; layer < config.Layers; layer++)
            {
                var block = $"h.{layer}.";
                fold.Read($"{block}ln_1", $"{block}attn.c_attn");
                fold.Read($"{block}ln_2", $"{block}mlp.c_fc");
                fold.Write($"{block}attn.c_proj");
                fold.Write($"{block}mlp.c_proj");
                if (RotatesValues)
                    fold.Values($"{block}attn.c_attn", 2L * config.HeadsOf(layer) * config.WidthOfHead, $"{block}attn.c_proj",
                        config.WidthOfHead);
            }
        });
    }

    /// <summary>Makes the rotated twin of a Llama.</summary>
    /// <inheritdoc cref="Fold(Gpt)"/>
    public Llama Fold(Llama model)
    {
        var config = model.Config;
        const string table = "model.embed_tokens.weight";
        return Folded(model, config.ModelWidth, table, () => new Llama(config with { TieEmbeddings = false }), fold =>
        {
            fold.Table(table);
            fold.Head("model.norm", "lm_head");
            for (var layer = 0; layer < config.Layers; layer++)
            {
                var block = $"model.layers.{layer}.";
                var attention = $"{block}self_attn.";
                fold.Read($"{block}input_layernorm", $"{attention}q_proj", $"{attention}k_proj", $"{attention}v_proj");
                fold.Read($"{block}post_attention_layernorm", $"{block}mlp.gate_proj", $"{block}mlp.up_proj");
                fold.Write($"{attention}o_proj");
                fold.Write($"{block}mlp.down_proj");
                if (RotatesValues) fold.Values($"{attention}v_proj", 0, $"{attention}o_proj", config.WidthOfHead);
            }
        });
    }

    private T Folded<T>(T model, int width, string table, Func<T> create, Action<ResidualRotation> fold) where T : nn.Module
    {
        Packing.Refuse(model, "rotated");
        if (Adapters.Of(model).Count > 0)
            throw new InvalidOperationException("The model has adapters; merge them into a plain model first.");
        if (!Hadamard.Exists(width))
            throw new ArgumentException($"There is no Hadamard matrix of the model's width, {width}.", nameof(model));
        var rotated = create();
        try
        {
            using var scope = NewDisposeScope();
            using var noGrad = no_grad();
            var device = model.parameters().First().device;
            rotated.to(device);
            rotated.train(model.training);
            var state = model.state_dict();
            foreach (var (name, parameter) in rotated.state_dict())
                parameter.copy_(state.TryGetValue(name, out var value) ? value : state[table]);   // the head of tied embeddings
            fold(new ResidualRotation(rotated, Matrix(width, model is Gpt).to(device), isCentred: model is Gpt));
            return rotated;
        }
        catch
        {
            rotated.Dispose();
            throw;
        }
    }

    /// <summary>A rotation, float64 [width, width].</summary>
    /// <param name="width">Channels.</param>
    /// <param name="keepsOnes">Whether a vector of equal channels stays as it is.</param>
    internal Tensor Matrix(int width, bool keepsOnes)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(Seed);
        var signs = (randint(0, 2, [width], generator: random) * 2 - 1).to(float64);
        var hadamard = Hadamard.Matrix(width).to(float64) / Math.Sqrt(width);
        if (!keepsOnes) return (hadamard * signs.unsqueeze(1)).MoveToOuterDisposeScope();
        signs.narrow(0, 0, 1).fill_(1);   // the first column of the matrix is the direction of equal channels
        return (hadamard * signs).matmul(hadamard.t()).MoveToOuterDisposeScope();
    }
}
