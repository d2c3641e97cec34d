using System.Globalization;
using ResearchKit.Models;
using ResearchKit.Optimizers;
using static TorchSharp.torch;

namespace ResearchKit.Scaling;

/// <summary>Rules by which the settings of a small model carry over to a larger one.</summary>
public enum ParametrizationKind
{
    /// <summary>The usual one: settings do not depend on the size, and the best learning rate does.</summary>
    Standard,

    /// <summary>μP, maximal update parametrization, over the width.</summary>
    MuP,

    /// <summary>μP over the width, and CompleteP over the depth.</summary>
    CompleteP,
}

/// <summary>What a parameter does, as far as its learning rate depends on it.</summary>
public enum ParameterRole
{
    /// <summary>A matrix whose both sides grow with the width.</summary>
    Hidden,

    /// <summary>A table or matrix that reads the input, whose input side does not grow.</summary>
    Embedding,

    /// <summary>The matrix of the output layer, whose output side does not grow.</summary>
    Readout,

    /// <summary>Biases and weights of norms.</summary>
    Vector,
}

/// <summary>
/// Initialization, multipliers and learning rates with which the best settings of a base model are those of a wider or
/// deeper one.
/// </summary>
/// <remarks>
/// μP: Yang et al., 2022, https://arxiv.org/abs/2203.03466, for Adam. CompleteP: Dey et al., 2025,
/// https://arxiv.org/abs/2505.01618. For a model of the base's size every factor is 1, so that μP changes nothing there.
/// <code>
/// var transfer = Parametrization.Of(ParametrizationKind.MuP, config, basis);
/// var model = transfer.Initialize(new Gpt(transfer.Configure(config)));
/// var optimizer = transfer.Apply(new FusedAdamWOptions { LearningRate = rate }).Create(model.named_parameters());
/// </code>
/// </remarks>
/// <param name="Kind">The rules.</param>
/// <param name="WidthRatio">m, width over the base's width.</param>
/// <param name="DepthRatio">Layers over the base's layers.</param>
/// <param name="DepthExponent">α of CompleteP; 1 transfers, 0.5 is depth-μP.</param>
public sealed record Parametrization(ParametrizationKind Kind, double WidthRatio, double DepthRatio = 1, double DepthExponent = 1)
{
    private double Width => Kind == ParametrizationKind.Standard ? 1 : WidthRatio;

    private double Depth => Kind == ParametrizationKind.CompleteP ? DepthRatio : 1;

    /// <summary>Factor on the initial standard deviation of hidden matrices: 1 / √m.</summary>
    public double HiddenDeviation => 1 / Math.Sqrt(Width);

    /// <summary>Factor on the learning rate of hidden matrices: 1 / m, times (L / L₀)^(α − 1).</summary>
    public double HiddenLearningRate => VectorLearningRate / Width;

    /// <summary>Factor on the learning rate of biases and norms: (L / L₀)^(α − 1).</summary>
    public double VectorLearningRate => Math.Pow(Depth, DepthExponent - 1);

    /// <summary>Factor on the weight decay of hidden matrices: m, so that rate times decay stays.</summary>
    public double HiddenWeightDecay => Width;

    /// <summary>Factor on Adam's ε: 1 / m, times (L / L₀)^−α.</summary>
    public double Epsilon => ResidualScale / Width;

    /// <summary>Factor on the logits: 1 / m.</summary>
    public double LogitScale => 1 / Width;

    /// <summary>Factor on what a branch adds to the residual stream: (L / L₀)^−α.</summary>
    public double ResidualScale => Math.Pow(Depth, -DepthExponent);

    /// <summary>The parametrization of a model for a base model.</summary>
    /// <param name="kind">The rules.</param>
    /// <param name="config">The model.</param>
    /// <param name="basis">The model whose settings are known.</param>
    public static Parametrization Of(ParametrizationKind kind, GptConfig config, GptConfig basis)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(basis);
        return new Parametrization(kind, (double)config.ModelWidth / basis.ModelWidth, (double)config.Layers / basis.Layers)
        {
            BaseHeadWidth = (double)basis.ModelWidth / basis.Heads,
        };
    }

    /// <summary>
    /// Channels of a head of the base model, at which attention scores are divided by their square root as usual.
    /// </summary>
    public double? BaseHeadWidth { get; init; }

    /// <summary>
    /// Whether an untied output layer starts at zero, as Yang et al. recommend. It is false by default, because a small
    /// model that
    /// takes large first steps can then learn more slowly.
    /// </summary>
    public bool ZeroesReadout { get; init; }

    /// <summary>Factor on attention scores: 1 / d_head, and 1 / √d_head at the base's head width.</summary>
    /// <param name="headWidth">d_head.</param>
    public double ScoreScale(double headWidth) => Kind == ParametrizationKind.Standard ? 1 / Math.Sqrt(headWidth)
        : Math.Sqrt(BaseHeadWidth ?? headWidth) / headWidth;

    /// <summary>The configuration with the multipliers of the parametrization.</summary>
    /// <param name="config">The model.</param>
    public GptConfig Configure(GptConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Kind == ParametrizationKind.Standard ? config : config with
        {
            Variations = config.Variations with
            {
                LogitScale = LogitScale,
                ResidualScale = ResidualScale,
                ScoreScale = ScoreScale((double)config.ModelWidth / config.Heads),
            },
        };
    }

    /// <summary>Scales the initial weights of a new model in place: hidden matrices by 1 / √m.</summary>
    /// <param name="model">The model, with its usual initialization that does not depend on the width.</param>
    /// <param name="role">Role of a parameter by name and value; null for <see cref="RoleOf"/>.</param>
    /// <returns>The model.</returns>
    public TModel Initialize<TModel>(TModel model, Func<string, Tensor, ParameterRole>? role = null) where TModel : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        if (Kind == ParametrizationKind.Standard) return model;
        using var noGrad = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
            switch ((role ?? RoleOf)(name, parameter))
            {
                case ParameterRole.Hidden: parameter.mul_(HiddenDeviation); break;
                case ParameterRole.Readout when ZeroesReadout: parameter.zero_(); break;
            }
        return model;
    }

    /// <summary>
    /// Adds the parameter groups of the parametrization to the settings of an Adam optimizer, and scales its ε.
    /// </summary>
    /// <param name="options">Settings that are good for the base model.</param>
    /// <param name="role">Role of a parameter by name and value; null for <see cref="RoleOf"/>.</param>
    /// <exception cref="ArgumentException">The settings have groups already.</exception>
    public TOptions Apply<TOptions>(TOptions options, Func<string, Tensor, ParameterRole>? role = null) where TOptions
        : AdamOptions
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Groups.Count > 0)
            throw new ArgumentException($"The settings have {options.Groups.Count} parameter groups; expected none, since the "
                + "parametrization makes its own.", nameof(options));
        return options with { Groups = Groups(options.WeightDecay, role), Epsilon = options.Epsilon * Epsilon };
    }

    /// <summary>The parameter groups: learning-rate factors, and the weight decay of hidden matrices.</summary>
    /// <param name="weightDecay">Weight decay of the base model.</param>
    /// <param name="role">Role of a parameter by name and value; null for <see cref="RoleOf"/>.</param>
    public IReadOnlyList<ParameterGroup> Groups(double weightDecay, Func<string, Tensor, ParameterRole>? role = null)
    {
        var of = role ?? RoleOf;
        return Kind == ParametrizationKind.Standard ? [] :
        [
            new((name, parameter) => of(name, parameter) == ParameterRole.Hidden)
            {
                LearningRateFactor = HiddenLearningRate,
                WeightDecay = weightDecay * HiddenWeightDecay,
            },
            new((name, parameter) => of(name, parameter) == ParameterRole.Vector) { LearningRateFactor = VectorLearningRate },
        ];
    }

    /// <summary>
    /// The role of a parameter by its name in the kit's models and in published ones: tables are embeddings, heads are readouts,
    /// other tensors of two or more axes are hidden.
    /// </summary>
    public static ParameterRole RoleOf(string name, Tensor parameter)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(parameter);
        if (parameter.dim() < 2) return ParameterRole.Vector;
        if (ParameterRules.Named("lm_head", "head.", "classifier", "readout", "unembed")(name, parameter))
            return ParameterRole.Readout;
        return ParameterRules.Named("wte", "wpe", "embed", "shared", "readin")(name, parameter) ? ParameterRole.Embedding
            : ParameterRole.Hidden;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Kind}, width × {WidthRatio:0.###}, depth × {DepthRatio:0.###}: hidden rate × {HiddenLearningRate:0.####}, deviation × {HiddenDeviation:0.####}, logits × {LogitScale:0.####}, branches × {ResidualScale:0.####}");
}
