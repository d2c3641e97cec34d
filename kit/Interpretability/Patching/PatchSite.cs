namespace ResearchKit.Interpretability;

/// <summary>Which activation of each layer a sweep patches.</summary>
public enum PatchSite
{
    /// <summary>The residual stream before a layer (hook_resid_pre), at each position.</summary>
    ResidualPre,

    /// <summary>The residual stream between attention and MLP (hook_resid_mid), at each position.</summary>
    ResidualMid,

    /// <summary>The residual stream after a layer (hook_resid_post), at each position.</summary>
    ResidualPost,

    /// <summary>What attention adds to the stream (hook_attn_out), at each position.</summary>
    AttentionOut,

    /// <summary>What the MLP adds to the stream (hook_mlp_out), at each position.</summary>
    MlpOut,

    /// <summary>The output of each head before the output layer (hook_z).</summary>
    HeadOut,

    /// <summary>The queries of each head (hook_q).</summary>
    Query,

    /// <summary>The keys of each head (hook_k).</summary>
    Key,

    /// <summary>The values of each head (hook_v).</summary>
    Value,

    /// <summary>The attention pattern of each head (hook_pattern).</summary>
    Pattern,
}
